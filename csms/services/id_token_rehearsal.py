"""What would come of decisions about id tokens one after the other, with nothing written."""

from __future__ import annotations

from collections import defaultdict

from csms.domain.id_tokens import ShownToken, id_token_key
from csms.errors import Conflict, CsmsError, Invalid
from csms.services.id_tokens import list_decided
from csms.store.database import ReadTx

_Named = tuple[str, str]
"""The key and the type of a token that was decided about: there is one of them at most."""


class Rehearsal:
    """The tokens as they are, and as each decision that is rehearsed would leave them."""

    def __init__(self, tx: ReadTx) -> None:
        self._tx = tx
        self._decided: dict[_Named, frozenset[str]] = {}
        """Those decided about here, with the keys of their aliases."""
        self._spelled: defaultdict[str, set[_Named]] = defaultdict(set)

    def decide(
        self, shown: ShownToken, aliases: tuple[str, ...], *, overwrite: bool
    ) -> CsmsError | None:
        """Why it would be refused; None: it is as good as decided for those that follow."""
        name = shown.key, shown.type
        same = {other for other in self._list(shown.key) if other[1] == shown.type}
        if not shown.key:
            return Invalid("has nothing to compare", loc=("value",))
        if same and not (overwrite and name in same):
            return Conflict("this id token exists, or is an alias of another one")
        keys = [id_token_key(alias) for alias in aliases]
        if not all(keys) or len({shown.key, *keys}) <= len(keys):
            return Invalid("an alias has nothing to compare, or is there twice", loc=("aliases",))
        for alias, key in zip(aliases, keys, strict=True):
            others = self._list(key) - {name}
            if any(other[1] in {shown.type, ""} for other in others):
                return Conflict(f"the alias {alias} means another id token")
        self._take(name, frozenset(keys))
        return None

    def _list(self, key: str) -> set[_Named]:
        stored = {(token.key, token.type) for token in list_decided(self._tx, key)}
        return (stored - self._decided.keys()) | self._spelled[key]

    def _take(self, name: _Named, keys: frozenset[str]) -> None:
        for key in self._decided.get(name, frozenset()):
            self._spelled[key].discard(name)
        self._decided[name] = keys
        for key in {name[0], *keys}:
            self._spelled[key].add(name)
