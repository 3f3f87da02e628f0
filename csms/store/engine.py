"""The engine row: which life of the process this is, and whether the last one ended well."""

from __future__ import annotations

from csms.store.database import ReadTx, Tx


def begin_epoch(tx: Tx, boot_id: str) -> int:
    """Start a new life; returns its number. Every later write of an older life is fenced off."""
    tx.run("UPDATE engine SET epoch = epoch + 1, clean = 0, boot_id = ?", (boot_id,))
    return epoch(tx)


def epoch(tx: ReadTx) -> int:
    """The number of the current life."""
    number: int = tx.value("SELECT epoch FROM engine")
    return number


def was_clean(tx: ReadTx) -> bool:
    """Whether the last stop was orderly; ask before `begin_epoch`."""
    return bool(tx.value("SELECT clean FROM engine"))


def forget_restore(tx: Tx) -> bool:
    """Whether the file was put back from a backup since the last life; asked once."""
    return bool(tx.run("UPDATE engine SET restored = 0 WHERE restored = 1"))


def touch(tx: Tx) -> None:
    """Write a page that says nothing new, to see whether writing works."""
    tx.run("UPDATE engine SET epoch = epoch")


def mark_clean(tx: Tx) -> None:
    """The stop is orderly from here on."""
    tx.run("UPDATE engine SET clean = 1")
