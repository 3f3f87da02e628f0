from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = re.compile(r"[A-Za-z0-9._-]+")
LOCKS = ("requirements.lock", "requirements-test.lock")


def pinned(lock: str) -> dict[str, str]:
    """Name → version of everything in a lock file."""
    text = (ROOT / lock).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def wanted(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in extras:
        lines += project["project"]["optional-dependencies"][extra]
    names = (NAME.match(line) for line in lines)
    return {re.sub(r"[-_.]+", "-", match[0]).lower() for match in names if match}


@pytest.mark.parametrize(("lock", "extras"), [(LOCKS[0], []), (LOCKS[1], ["test"])])
def test_every_dependency_is_locked(lock: str, extras: list[str]) -> None:
    assert wanted(*extras) - pinned(lock).keys() == set()


def test_both_locks_hold_the_same_versions() -> None:
    runtime, test = (pinned(lock) for lock in LOCKS)
    assert runtime.items() <= test.items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_no_index(lock: str) -> None:
    blocks = re.split(r"^(?=\S)", (ROOT / lock).read_text("utf-8"), flags=re.MULTILINE)
    packages = [block for block in blocks if block and not block.startswith("#")]
    assert all("--hash=sha256:" in block for block in packages)
    assert not any(word in "".join(packages) for word in ("://", "--index", "--find-links"))
