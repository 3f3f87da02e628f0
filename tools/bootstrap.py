"""Make .venv and install csms in it; needs nothing but a Python >= 3.11 and a package index.

    python3 tools/bootstrap.py run     what csms runs on
    python3 tools/bootstrap.py test    that, and what the tests and checks need

The environment is made by the first way that works: uv, `python3 -m venv`, or
`python3 -m venv --without-pip` with pip fetched through the configured index. Packages come
from the lock files by hash. Nothing is done when nothing changed. Standard library only, and
readable by Pythons older than csms needs, so that they can say so.
"""

from __future__ import annotations

import configparser
import hashlib
import html.parser
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {"run": "requirements.lock", "test": "requirements-test.lock"}
# A machine whose python3 is older often has a newer one beside it.
CANDIDATES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
SUPPORTED = "import sys; sys.exit(sys.version_info < (3, 11))"
INDEX_TIMEOUT_S = 60
WHEEL = re.compile(r"pip-(?P<release>[0-9.]+)-py3-none-any\.whl")


class Failed(Exception):
    """This way does not work on this machine; the next may."""


def main(argv: list[str]) -> int:
    """Bring .venv up to date; returns the exit code."""
    extras = argv[1] if len(argv) == 2 else ""
    if extras not in LOCKS:
        return _say("usage: bootstrap.py run|test")
    digest = _digest(extras)
    if _is_current(extras, digest):
        return 0
    python = _find_python()
    if python is None:
        return _say("csms needs Python 3.11 or newer: install the Debian package python3")
    reasons = []
    for way in (_with_uv, _with_venv, _with_fetched_pip):
        try:
            way(python, ROOT / LOCKS[extras])
        except (Failed, OSError) as error:
            reasons.append(f"{way.__name__.strip('_').replace('_', ' ')}: {error}")
            continue
        (VENV / f".installed-{extras}").write_text(digest, "utf-8")
        return 0
    return _say(
        "cannot make .venv: install the Debian package python3-venv and try again "
        f"({'; '.join(reasons)})"
    )


def _say(line: str) -> int:
    print(line, file=sys.stderr)
    return 2


# ---- is there anything to do ---------------------------------------------------------------------


def _digest(extras: str) -> str:
    parts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", LOCKS[extras])]
    return hashlib.sha256(b"\0".join([*parts, str(ROOT).encode()])).hexdigest()


def _is_current(extras: str, digest: str) -> bool:
    if not PYTHON.exists():
        return False
    wanted = {extras: digest}
    if extras == "run":  # the test set contains it
        wanted["test"] = _digest("test")
    return any(_installed(name) == value for name, value in wanted.items())


def _installed(extras: str) -> str:
    stamp = VENV / f".installed-{extras}"
    return stamp.read_text("utf-8") if stamp.exists() else ""


def _find_python() -> str | None:
    for name in (sys.executable, *CANDIDATES):
        path = shutil.which(name)
        # .venv may be the active environment; it cannot make itself anew.
        if path and VENV not in Path(path).parents and _runs(path):
            return path
    return None


# ---- three ways ----------------------------------------------------------------------------------


def _with_uv(python: str, lock: Path) -> None:
    uv = shutil.which("uv")
    if uv is None:
        raise Failed("not installed")
    environment = dict(os.environ)
    index = _pip_settings().get("index-url")
    if index and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & environment.keys():
        environment["UV_DEFAULT_INDEX"] = index
    if not _runs(PYTHON):
        _run([uv, "venv", "--quiet", "--clear", "--python", python, str(VENV)], environment)
    install = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    locked = ["--require-hashes", "--requirement", str(lock), "--compile-bytecode"]
    _run([*install, *locked], environment)
    _run([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], environment)
    _compile()


def _with_venv(python: str, lock: Path) -> None:
    if not _runs(PYTHON, "-m", "pip", "--version"):
        _run([python, "-m", "venv", "--clear", str(VENV)])
    _install([str(PYTHON), "-m", "pip"], lock)


def _with_fetched_pip(python: str, lock: Path) -> None:
    _run([python, "-m", "venv", "--clear", "--without-pip", str(VENV)])
    if _runs(python, "-m", "pip", "--version"):
        _install([python, "-m", "pip", "--python", str(PYTHON)], lock)
        return
    with tempfile.TemporaryDirectory() as directory:
        wheel = fetch_pip(Path(directory))
        _install([str(PYTHON), f"{wheel}/pip"], lock)


def _install(pip: list[str], lock: Path) -> None:
    install = [*pip, "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    _run([*install, "--require-hashes", "--requirement", str(lock)])
    # The build backend came with the lock, so nothing unpinned is fetched here.
    _run([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    _compile()


def _compile() -> None:
    # No editable install does it, and a start that has to takes half as long again.
    _run([str(PYTHON), "-m", "compileall", "-qq", str(ROOT / "csms")])


def _runs(*command: str | Path) -> bool:
    if not Path(command[0]).exists():
        return False
    words = [str(word) for word in command]
    arguments = words if len(words) > 1 else [*words, "-c", SUPPORTED]
    return subprocess.run(arguments, check=False, capture_output=True).returncode == 0


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
        raise Failed(f"{Path(command[0]).name} exited {done.returncode}, {lines[-1][:300]}")


# ---- pip out of the index ------------------------------------------------------------------------


def fetch_pip(directory: Path) -> Path:
    """Download pip's newest wheel from the configured index and check its SHA-256."""
    index = (
        os.environ.get("PIP_INDEX_URL")
        or os.environ.get("UV_DEFAULT_INDEX")
        or os.environ.get("UV_INDEX_URL")
        or _pip_settings().get("index-url")
    )
    if not index:
        raise Failed("no pip, and no package index in PIP_INDEX_URL or pip.conf")
    page = index.rstrip("/") + "/pip/"
    links = _Links(page)
    links.feed(_get(page).decode("utf-8", "replace"))
    url = newest_wheel(links.found)
    address, _, fragment = url.partition("#")
    content = _get(address)
    name, _, expected = fragment.partition("=")
    if name != "sha256" or hashlib.sha256(content).hexdigest() != expected:
        raise Failed(f"{address} has no SHA-256 in the index, or another one")
    wheel = directory / address.rpartition("/")[2]
    wheel.write_bytes(content)
    return wheel


def newest_wheel(urls: list[str]) -> str:
    """The link to the highest final release among `urls`; raises Failed when there is none."""
    releases = []
    for url in urls:
        match = WHEEL.search(url)
        if match:
            releases.append((tuple(int(part) for part in match["release"].split(".")), url))
    if not releases:
        raise Failed("the package index lists no pip")
    return max(releases)[1]


def _get(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=INDEX_TIMEOUT_S) as response:
        content: bytes = response.read()
        return content


def _pip_settings() -> dict[str, str]:
    """The [global] and [install] keys of pip's files, the later file winning, as pip does."""
    home = Path.home()
    config_home = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    paths = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), home / ".pip" / "pip.conf"]
    paths += [config_home / "pip" / "pip.conf"]
    if os.environ.get("PIP_CONFIG_FILE"):
        paths.append(Path(os.environ["PIP_CONFIG_FILE"]))
    parser = configparser.RawConfigParser()
    settings: dict[str, str] = {}
    try:
        parser.read(paths, "utf-8")
    except configparser.Error as error:
        raise Failed(f"pip.conf: {error}") from error
    for section in ("global", "install"):
        if parser.has_section(section):
            settings.update(parser.items(section))
    return settings


class _Links(html.parser.HTMLParser):
    """Absolute link targets of a page, those of yanked files left out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "a" and attributes.get("href") and "data-yanked" not in attributes:
            self.found.append(urllib.parse.urljoin(self.page, attributes["href"] or ""))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
