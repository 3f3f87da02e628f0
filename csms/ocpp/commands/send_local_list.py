"""SendLocalList: which tokens a station authorizes by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Le, MaxLen

from csms.domain.device_model import VariableKey
from csms.domain.id_tokens import AuthorizationStatus, id_token_key, narrow_v16
from csms.domain.jobs import CommandClass
from csms.domain.local_lists import ListEntry, ListUpdate, UpdateType, changes, next_version
from csms.domain.timestamps import format_timestamp
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.charging_profiles import read_instant
from csms.ocpp.commands.command import Answer, Batch, Command, Order, doc, read_status
from csms.ocpp.fields import integer, objects, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.id_tokens import CARD, IdToken, IdTokenType, tag_v16, token_v21, token_v201
from csms.ocpp.local_lists import of_id_tokens
from csms.services import local_lists
from csms.store import local_lists as local_list_store
from csms.store.database import ReadTx, Tx

# As many cards as fit into one CALL with all that can be said about them.
MAX_ENTRIES = 300
# The parts of a long update have versions of their own.
MAX_VERSION = 2**31 - 1 - MAX_ENTRIES
# So many go out at once to a station that has not said how many it takes.
_ENTRIES_PER_MESSAGE = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One token."""

    id_token: IdToken = field(metadata=doc("at most 20 characters on OCPP 1.6, 36 on 2.0.1"))
    id_token_type: IdTokenType = field(
        default=CARD, metadata=doc("what kind of token it is; OCPP 1.6 has no types")
    )
    status: AuthorizationStatus | None = field(
        default=None, metadata=doc("what it is worth; left out of a Differential: off the list")
    )
    expires_at: datetime | None = field(default=None, metadata=doc("until when"))
    group_id_token: IdToken | None = field(default=None, metadata=doc("the group it belongs to"))
    group_id_token_type: IdTokenType = field(
        default="Central", metadata=doc("the type of the group's token")
    )


class Source(str, Enum):
    """Where the entries come from that an order does not name."""

    ID_TOKENS = "id_tokens"


@dataclass(frozen=True, slots=True)
class SendLocalList:
    """Parameters of send_local_list."""

    update_type: UpdateType = field(
        metadata=doc("Full replaces the list, Differential changes what it names")
    )
    # OCPP 2.0.1 D01.FR.18: 0 says that there is no list.
    version_number: Annotated[int, Ge(1), Le(MAX_VERSION)] | None = field(
        default=None,
        metadata=doc(
            "the version of the list after this update; of one that goes out in parts, after the"
            " first of them, and each of the others counts one up; left out: the next one"
        ),
    )
    entries: Annotated[list[Entry], MaxLen(MAX_ENTRIES)] = field(
        default_factory=list, metadata=doc("the tokens; a Full list without any empties it")
    )
    source: Source | None = field(
        default=None,
        metadata=doc(
            "instead of entries: all id tokens that were decided about, or, of a Differential,"
            " how they differ from the station's list"
        ),
    )

    def __post_init__(self) -> None:
        if self.source is not None and self.entries:
            raise Invalid("stands instead of entries", loc=("source",))
        seen = set()
        for index, entry in enumerate(self.entries):
            key = id_token_key(entry.id_token), entry.id_token_type
            if key in seen:  # OCPP 2.0.1 D01.FR.06
                raise Invalid("is on the list twice", loc=("entries", index, "id_token"))
            seen.add(key)
            if entry.status is None and self.update_type is UpdateType.FULL:
                raise Invalid(
                    "a Full list says what each token is worth",
                    loc=("entries", index, "status"),
                    kind="missing",
                )


def prepare(
    tx: ReadTx,
    station_id: int,
    version: OcppVersion,
    params: SendLocalList,
    queued: Sequence[JsonObject],
) -> SendLocalList:
    """Number the update, and fill it from our id tokens where it says so."""
    known = local_list_store.find(tx, station_id)
    ahead = [update for payload in queued if (update := read_update(payload)) is not None]
    is_full = params.update_type is UpdateType.FULL
    number = params.version_number
    if number is None:
        number = next_version(known, ahead, highest=MAX_VERSION)
        if number is None and not is_full:
            raise Invalid("nobody knows the version of its list", loc=("version_number",))
    entries = params.entries
    if params.source is not None:
        wanted = of_id_tokens(tx, version)
        if not is_full:
            if not known.is_known:
                raise Invalid("nobody knows what is on its list", loc=("update_type",))
            if ahead:
                raise Invalid("another update is on its way", loc=("update_type",))
            wanted = changes(local_list_store.list_entries(tx, station_id), wanted)
            if not wanted:
                raise Invalid("its list has them all as they are", loc=("source",))
        if len(wanted) > MAX_ENTRIES:
            raise Invalid(f"are {len(wanted)}, and {MAX_ENTRIES} at most", loc=("source",))
        entries = [_as_given(entry) for entry in wanted]
    return replace(params, version_number=number or 1, entries=entries, source=None)


def _as_given(entry: ListEntry) -> Entry:
    return Entry(
        entry.id_token,
        entry.id_token_type or CARD,
        None if entry.status is None else AuthorizationStatus(entry.status),
        entry.expires_at,
        entry.group_id_token,
    )


def encode_v16(params: SendLocalList) -> Order:
    """Tags, with one of the five words of 1.6."""
    payload: JsonObject = {
        "listVersion": _number(params),
        "updateType": params.update_type.value,
    }
    if params.entries:
        payload["localAuthorizationList"] = [_entry_v16(entry) for entry in params.entries]
    return Order("SendLocalList", payload)


def encode_v201(params: SendLocalList) -> Order:
    """With the token types that 2.0.1 lists."""
    return _order_v2x(params, token_v201)


def encode_v21(params: SendLocalList) -> Order:
    """With any type."""
    return _order_v2x(params, token_v21)


def _number(params: SendLocalList) -> int:
    # Each station has a number and a list of its own, so one update of many cannot be filled in.
    if params.version_number is None:
        raise Invalid("is required", loc=("version_number",), kind="missing")
    if params.source is not None:
        raise Invalid("is for one station", loc=("source",))
    return params.version_number


def _entry_v16(entry: Entry) -> JsonObject:
    payload: JsonObject = {"idTag": tag_v16(entry.id_token)}
    if entry.status is not None:
        info: JsonObject = {"status": narrow_v16(entry.status)}
        if entry.expires_at is not None:
            info["expiryDate"] = format_timestamp(entry.expires_at)
        if entry.group_id_token is not None:
            info["parentIdTag"] = tag_v16(entry.group_id_token)
        payload["idTagInfo"] = info
    return payload


def _order_v2x(params: SendLocalList, token: Callable[[str, str], JsonObject]) -> Order:
    payload: JsonObject = {
        "versionNumber": _number(params),
        "updateType": params.update_type.value,
    }
    if params.entries:
        payload["localAuthorizationList"] = [_entry_v2x(entry, token) for entry in params.entries]
    return Order("SendLocalList", payload)


def _entry_v2x(entry: Entry, token: Callable[[str, str], JsonObject]) -> JsonObject:
    payload: JsonObject = {"idToken": token(entry.id_token, entry.id_token_type)}
    if entry.status is not None:
        info: JsonObject = {"status": entry.status.value}
        if entry.expires_at is not None:
            info["cacheExpiryDateTime"] = format_timestamp(entry.expires_at)
        if entry.group_id_token is not None:
            info["groupIdToken"] = token(entry.group_id_token, entry.group_id_token_type)
        payload["idTokenInfo"] = info
    return payload


def decode_v16(payload: JsonObject) -> SendLocalList:
    """Tags are taken for cards."""
    update = read_update(payload)
    if update is None or update.version < 1:
        raise NotSupportedByVersion("a list of OCPP 2.x has a version from 1")
    try:
        return SendLocalList(
            update.update_type,
            update.version,
            [
                Entry(
                    entry.id_token,
                    status=None if entry.status is None else AuthorizationStatus(entry.status),
                    expires_at=entry.expires_at,
                    group_id_token=entry.group_id_token,
                )
                for entry in update.entries
            ],
        )
    except Invalid as error:
        raise NotSupportedByVersion(f"no list of OCPP 2.x: {error.message}") from error


def read_update(payload: JsonObject) -> ListUpdate | None:
    """The update that a payload of any version is; None when it has no version of its own."""
    version = integer(payload, "versionNumber")
    version = integer(payload, "listVersion") if version is None else version
    if version is None:
        return None
    return ListUpdate(
        UpdateType(payload.get("updateType")),
        version,
        tuple(_read_entry(entry) for entry in objects(payload.get("localAuthorizationList"))),
    )


def _read_entry(payload: JsonObject) -> ListEntry:
    (token, *_) = objects(payload.get("idToken")) or [{"idToken": payload.get("idTag")}]
    (info, *_) = objects(payload.get("idTokenInfo")) or objects(payload.get("idTagInfo")) or [{}]
    (group, *_) = objects(info.get("groupIdToken")) or [{"idToken": info.get("parentIdTag")}]
    return ListEntry(
        id_token=text(token, "idToken") or "",
        id_token_type=text(token, "type") or "",
        status=text(info, "status"),
        expires_at=read_instant(info.get("cacheExpiryDateTime") or info.get("expiryDate")),
        group_id_token=text(group, "idToken"),
    )


def read(payload: JsonObject) -> Answer:
    """Say what a refusal means. The status is never left out, so an answer without one is none."""
    answer = read_status(payload)
    if answer.status is None:
        return Answer(False, None, payload, "its answer does not say whether it took the list")
    return Answer(answer.accepted, answer.status, payload, _DETAILS.get(answer.status))


# OCPP 1.6 7.46, 2.0.1 3.76: with these the list is as it was.
_REFUSALS = frozenset({"Failed", "NotSupported", "VersionMismatch"})
# OCPP 2.0.1 D01.FR.03, D01.FR.19
_DETAILS = {
    "VersionMismatch": "its list has this version or a higher one: send the Full list",
    "Failed": "it did not take this part: send the Full list",
}


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """Keep the books of the station's list."""
    update = read_update(payload)
    if update is None:
        return
    if answer.accepted:
        local_lists.apply(tx, station_id, update)
    elif answer.status not in _REFUSALS:
        local_lists.record_doubt(tx, station_id, update)
    else:
        local_lists.record_refusal(tx, station_id, update, answer.status)


def unanswered(tx: Tx, station_id: int, payload: JsonObject) -> None:
    """The station has the list of before, or the one of after."""
    update = read_update(payload)
    if update is not None:
        local_lists.record_doubt(tx, station_id, update)


def part(payload: JsonObject, number: int, total: int) -> JsonObject:
    """A Full list begins with a Full part, to which the others add (2.0.1 D01.FR.15)."""
    version = "listVersion" if "listVersion" in payload else "versionNumber"
    update_type = payload["updateType"] if number == 0 else UpdateType.DIFFERENTIAL.value
    # Each part has to be newer than the list that it changes (2.0.1 D01.FR.19).
    return {**payload, version: payload[version] + number, "updateType": update_type}


def may_follow(tx: ReadTx, station_id: int, payload: JsonObject) -> bool:
    """Whether no other order changed the list between the parts, one of which has to be retried."""
    update = read_update(payload)
    if update is None:
        return False
    # It may have this part already, and only the answer was lost.
    return local_list_store.find(tx, station_id).version in {update.version - 1, update.version}


def refine_class(params: SendLocalList) -> CommandClass:
    """A Full list may be sent again; changes are refused once they are in."""
    return CommandClass.A if params.update_type is UpdateType.FULL else CommandClass.B


COMMAND = Command(
    name="send_local_list",
    summary="Replace or change the list of tokens that the station authorizes by itself",
    command_class=CommandClass.B,
    params=SendLocalList,
    actions=dict.fromkeys(OcppVersion, "SendLocalList"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    read=read,
    decode_v16={"SendLocalList": decode_v16},
    # The station has that version already: by an earlier attempt of this command.
    gone=frozenset({"VersionMismatch"}),
    refine_class=refine_class,
    settled=settled,
    unanswered=unanswered,
    batches={
        "SendLocalList": Batch(
            "localAuthorizationList",
            VariableKey(component="LocalAuthListCtrlr", variable="ItemsPerMessage"),
            otherwise=_ENTRIES_PER_MESSAGE,
            part=part,
        )
    },
    stops_when_refused=True,
    may_follow=may_follow,
    prepare=prepare,
)
