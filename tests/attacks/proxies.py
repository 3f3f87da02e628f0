"""The proxies of docs/proxies, run as they stand there but for ports, names and files."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

from tests.acceptance.processes import Server, eventually, free_port
from tests.pki import HOST, Authority, Pair

SHIPPED = Path(__file__).parents[2] / "docs" / "proxies"


class Proxy:
    """One of them in front of a server."""

    def __init__(self, name: str, folder: Path, server: Server) -> None:
        self.name = name
        self.server = server
        self.port = free_port()
        self.authority = Authority(folder, "CA")
        self._folder = folder
        self._pair = self.authority.server()
        both = folder / "both.pem"
        both.write_bytes(self._pair.certificate.read_bytes() + self._pair.key.read_bytes())
        self._changes = {
            "127.0.0.1:9000": f"127.0.0.1:{server.port}",
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "bind :443": f"bind 127.0.0.1:{self.port}",
            "/etc/csms/server-and-key.pem": str(both),
            "/etc/csms/server.pem": str(self._pair.certificate),
            "/etc/csms/server.key": str(self._pair.key),
            "/etc/csms/ca.pem": str(self.authority.file),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_installed(self) -> bool:
        """Whether this machine has it."""
        return shutil.which(self.name) is not None

    def start(self) -> None:
        """Until it accepts connections."""
        command = {"nginx": self._nginx, "caddy": self._caddy, "haproxy": self._haproxy}[self.name]
        with (self._folder / "proxy.log").open("wb") as log:
            self._process = subprocess.Popen(command(), stdout=log, stderr=log)
        eventually(self._accepts, timeout_s=20, what=f"{self.name} to listen")

    def stop(self) -> None:
        """And all of its workers."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _read(self, name: str) -> str:
        text = (SHIPPED / name).read_text()
        for old, new in self._changes.items():
            text = text.replace(old, new)
        return text

    def _nginx(self) -> list[str]:
        config = self._folder / "nginx.conf"
        config.write_text(
            f"daemon off; pid {self._folder}/nginx.pid; error_log {self._folder}/error.log;\n"
            f"events {{}}\nhttp {{ access_log off; {self._temporary()}\n{self._read('nginx.conf')}}}\n"
        )
        return ["nginx", "-c", str(config), "-p", str(self._folder)]

    def _temporary(self) -> str:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        return " ".join(f"{kind}_temp_path {self._folder}/{kind};" for kind in kinds)

    def _caddy(self) -> list[str]:
        config = self._folder / "Caddyfile"
        site = f"https://{HOST}:{self.port} {{\n\tbind 127.0.0.1\n\ttls {self._files(self._pair)}"
        text = self._read("Caddyfile").replace("csms.example.com {", site)
        config.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text)
        return ["caddy", "run", "--adapter", "caddyfile", "--config", str(config)]

    @staticmethod
    def _files(pair: Pair) -> str:
        return f"{pair.certificate} {pair.key}"

    def _haproxy(self) -> list[str]:
        config = self._folder / "haproxy.cfg"
        config.write_text(self._read("haproxy.cfg"))
        return ["haproxy", "-db", "-f", str(config)]
