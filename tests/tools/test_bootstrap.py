from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WHEEL = b"the newest pip"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, at work on a project of its own."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    project = tmp_path / "project"
    project.mkdir()
    for name in ("pyproject.toml", "requirements.lock", "requirements-test.lock"):
        (project / name).write_text(name)
    monkeypatch.setattr(module, "ROOT", project)
    monkeypatch.setattr(module, "VENV", project / ".venv")
    monkeypatch.setattr(module, "PYTHON", project / ".venv" / "bin" / "python")
    return module


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index on loopback; yields the page that lists pip."""
    page = tmp_path / "index" / "simple" / "pip" / "index.html"
    page.parent.mkdir(parents=True)
    (tmp_path / "index" / "pip-26.3-py3-none-any.whl").write_bytes(WHEEL)
    handler = partial(Quiet, directory=str(tmp_path / "index"))
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{httpd.server_address[1]}/simple")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield page
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def link(release: str, sha256: str, more: str = "") -> str:
    wheel = f"pip-{release}-py3-none-any.whl"
    return f'<a href="../../{wheel}#sha256={sha256}" {more}>{wheel}</a>\n'


def test_the_newest_pip_is_fetched_and_checked(
    bootstrap: ModuleType, index: Path, tmp_path: Path
) -> None:
    good = hashlib.sha256(WHEEL).hexdigest()
    yanked = link("99.0", good, "data-yanked")
    index.write_text(link("9.0.3", good) + yanked + link("26.3", good) + link("27.0b1", good))
    assert bootstrap.fetch_pip(tmp_path).read_bytes() == WHEEL


def test_a_pip_with_another_digest_is_refused(
    bootstrap: ModuleType, index: Path, tmp_path: Path
) -> None:
    index.write_text(link("26.3", "0" * 64))
    with pytest.raises(bootstrap.Failed, match="SHA-256"):
        bootstrap.fetch_pip(tmp_path)
    assert not (tmp_path / "pip-26.3-py3-none-any.whl").exists()


def test_releases_are_compared_as_numbers(bootstrap: ModuleType) -> None:
    urls = [f"x/pip-{release}-py3-none-any.whl" for release in ("9.0", "10.0.1", "10.0")]
    assert bootstrap.newest_wheel(urls) == "x/pip-10.0.1-py3-none-any.whl"


def test_when_every_way_fails_one_line_names_the_debian_package(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(python: str, lock: Path) -> None:
        raise bootstrap.Failed("no")

    for way in ("_with_uv", "_with_venv", "_with_fetched_pip"):
        monkeypatch.setattr(bootstrap, way, fail)
    assert bootstrap.main(["bootstrap.py", "run"]) == 2
    said = capsys.readouterr().err
    assert "python3-venv" in said
    assert said.count("\n") == 1


def test_nothing_is_installed_twice(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = []

    def install(python: str, lock: Path) -> None:
        installed.append(lock.name)
        bootstrap.PYTHON.parent.mkdir(parents=True, exist_ok=True)
        bootstrap.PYTHON.touch()

    monkeypatch.setattr(bootstrap, "_with_uv", install)
    for wanted in ("run", "run", "test", "test", "run"):
        assert bootstrap.main(["bootstrap.py", wanted]) == 0
    assert installed == ["requirements.lock", "requirements-test.lock"]
    (bootstrap.ROOT / "requirements-test.lock").write_text("other versions")
    assert bootstrap.main(["bootstrap.py", "test"]) == 0
    assert installed[2:] == ["requirements-test.lock"]


def test_the_next_way_is_tried_when_one_fails(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(python: str, lock: Path) -> None:
        raise bootstrap.Failed("no")

    def install(python: str, lock: Path) -> None:
        bootstrap.VENV.mkdir()

    monkeypatch.setattr(bootstrap, "_with_uv", fail)
    monkeypatch.setattr(bootstrap, "_with_venv", install)
    assert bootstrap.main(["bootstrap.py", "run"]) == 0
