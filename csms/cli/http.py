"""The way from a command to a running server: plain HTTP by the standard library.

aiohttp would take longer to import than a whole `csms jobs list` takes; and http.client, unlike
urllib, never sends a request for loopback to a proxy.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from csms.cli.failures import CommandFailed, Refused, ServerUnreachable

# Written by a server that is ready, with the token of its command line; gone after a clean stop.
ADDRESS_FILE = "cli.json"
TIMEOUT_S = 30.0
# Whoever is asked whether they live answers at once.
PROBE_S = 5.0


@dataclass(frozen=True, slots=True)
class Client:
    """A server's address and a token for it."""

    url: str
    token: str = field(repr=False)

    def get(self, path: str, **query: Any) -> Any:
        """The JSON body of a GET. Raises Refused or ServerUnreachable, as all the others do."""
        given = {key: value for key, value in query.items() if value is not None}
        return self._ask("GET", f"{path}?{urlencode(given, doseq=True)}" if given else path)

    def post(self, path: str, body: Any = None) -> Any:
        """The JSON body of the answer to a POST."""
        return self._ask("POST", path, body)

    def delete(self, path: str) -> Any:
        """The JSON body of the answer to a DELETE, None when it has none."""
        return self._ask("DELETE", path)

    def answers(self, path: str) -> bool:
        """Whether a GET of a public path is answered with 200, now."""
        try:
            status, _ = self._exchange("GET", path, b"", {}, PROBE_S)
        except ServerUnreachable:
            return False
        return status == 200

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        content = b""
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        status, answer = self._exchange(method, path, content, headers, TIMEOUT_S)
        value = _parse(answer)
        if status >= 400:
            raise Refused(status, _reason(status, value), code=_code(value))
        return value

    def _exchange(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str], timeout_s: float
    ) -> tuple[int, bytes]:
        connection = _connection(self.url, timeout_s)
        try:
            connection.request(method, path, body=content or None, headers=dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnreachable(f"no answer from {self.url}: {error}") from error
        finally:
            connection.close()


def find_server(data_dir: Path) -> Client | None:
    """The server that runs on this data directory, or None when none answers there.

    CSMS_URL and CSMS_TOKEN name another one, on any machine; it is taken at its word.
    """
    url = os.environ.get("CSMS_URL")
    if url:
        return Client(url=url, token=os.environ.get("CSMS_TOKEN", ""))
    path = data_dir / ADDRESS_FILE
    try:
        written = json.loads(path.read_text("utf-8"))
        client = Client(url=written["url"], token=written["token"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandFailed(f"cannot read {path}: {error}") from error
    # A killed server leaves its file behind.
    return client if client.answers("/healthz") else None


def require_server(data_dir: Path) -> Client:
    """The server that runs on this data directory; raises ServerUnreachable."""
    client = find_server(data_dir)
    if client is None:
        raise ServerUnreachable(f"no csms server runs on {data_dir}; start one with: csms serve")
    return client


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe=":")


def _connection(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.hostname is None:
        raise CommandFailed(f"{url!r} is not the URL of a server")
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout_s, context=context
        )
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)


def _parse(answer: bytes) -> Any:
    try:
        return json.loads(answer) if answer else None
    except ValueError:
        return answer.decode("utf-8", "replace")


def _reason(status: int, value: Any) -> str:
    """The sentence in an error body, whichever of the three dialects wrote it."""
    if isinstance(value, dict):
        if value.get("errors"):
            return f"{value.get('detail') or value.get('message')} {json.dumps(value['errors'])}"
        for key in ("detail", "message", "title"):
            said = value.get(key)
            if said:
                return said if isinstance(said, str) else json.dumps(said)
    return f"the server answered {status}"


def _code(value: Any) -> str | None:
    code = value.get("code") if isinstance(value, dict) else None
    return code if isinstance(code, str) else None
