"""What an operator's command is made of: parameters, one encoding per version, class, reading.

One file per command says all of it; `csms.ocpp.commands` lists them. The parameters speak
OCPP 2.x words whatever the station's version is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from annotated_types import Ge, Le

from csms.domain.device_model import VariableKey
from csms.domain.effects import Effect
from csms.domain.jobs import CommandClass
from csms.domain.tasks import Task
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.fields import text
from csms.ocpp.frames import JsonObject
from csms.store.database import ReadTx, Tx


@dataclass(frozen=True, slots=True)
class Order:
    """One CALL, encoded for a version."""

    action: str
    payload: JsonObject
    then: tuple[Order, ...] = ()
    """The CALLs that follow it, where one is not enough; these have none themselves."""
    subject: str | None = field(default=None, compare=False)
    """What it is about, where several CALLs differ in that: a refusal names it."""


def _as_it_is(payload: JsonObject, number: int, total: int) -> JsonObject:
    return payload


@dataclass(frozen=True, slots=True)
class Batch:
    """A list in a payload that goes out in parts when a station takes only so much at once."""

    items: str
    """The list's name."""
    limit: VariableKey
    """Where the station says how many it takes."""
    otherwise: int
    """How many go out at once while it has not said."""
    part: Callable[[JsonObject, int, int], JsonObject] = _as_it_is
    """What else differs: the payload of part `number`, from 0, of `total`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A CALLRESULT, read. `status` is the station's own word, None where it has none."""

    accepted: bool
    status: str | None
    payload: JsonObject
    detail: str | None = None
    """What was refused, where the word alone does not say it."""
    is_error: bool = False
    """It was a CALLERROR, to one of several CALLs."""


@dataclass(frozen=True, slots=True)
class EvidenceQuery:
    """An attempt whose answer we do not have, as the ledger recorded its intent."""

    station_id: int
    epoch: int
    connection_generation: int | None
    intent_at: int
    """Microseconds UTC."""
    payload: JsonObject
    """What was sent, in the form of `version`."""
    version: OcppVersion = OcppVersion.V16


@dataclass(frozen=True, slots=True)
class Evidence:
    """A committed row that shows the station did what it was asked."""

    what: str
    """Says it in a word: `boot`, `transaction`."""
    seen_at: int
    """Microseconds UTC, when we received it."""
    inferred: bool
    """Nothing in the row names the command; it is the most likely cause."""


EvseId = Annotated[int, Ge(1), Le(2**31 - 1)]
ConnectorId = Annotated[int, Ge(1), Le(2**31 - 1)]
Encode = Callable[[Any], Order]
Decode = Callable[[JsonObject], Any]
Prepare = Callable[[ReadTx, int, OcppVersion, Any, Sequence[JsonObject]], Any]
Read = Callable[[JsonObject], Answer]
Settled = Callable[[Tx, int, JsonObject, Answer], None]


FindEvidence = Callable[[ReadTx, EvidenceQuery], Evidence | None]
EffectQuery = Callable[[ReadTx, EvidenceQuery, int], Effect | None]


def read_status(payload: JsonObject) -> Answer:
    """Accepted when the `status` is one of the words that mean so; no status means accepted."""
    status = payload.get("status")
    if not isinstance(status, str):
        return Answer(accepted=True, status=None, payload=payload)
    return Answer(accepted=status in ACCEPTING, status=status, payload=payload)


def also_accepts(word: str) -> Read:
    """Read a `status` that is never left out, and has one more word than those that accept.

    Most often the word says that there is nothing to tell, which is an answer, too.
    """

    def read(payload: JsonObject) -> Answer:
        status = text(payload, "status")
        return Answer(status in ACCEPTING or status == word, status, payload)

    return read


# Across all commands and versions; no word accepts in one and refuses in another.
ACCEPTING = frozenset({"Accepted", "AcceptedCanceled", "RebootRequired", "Scheduled", "Unlocked"})


@dataclass(frozen=True, slots=True)
class Command:
    """One kind of order to a station."""

    name: str
    """The OCPP 2.x action in snake_case."""
    summary: str
    command_class: CommandClass
    params: type[Any]
    """A frozen dataclass; its fields carry constraints and a description."""
    actions: Mapping[OcppVersion, str]
    encode: Mapping[OcppVersion, Encode]
    """Raises NotSupportedByVersion when these parameters have no form in the version."""
    read: Read = read_status
    rate_per_min: float | None = None
    """The rollout rate of a bulk job that names none."""
    single_target: bool = False
    """The payload names a thing of one station, so the same payload for many is a mistake."""
    gone: frozenset[str] = frozenset()
    """Class B: the words that, on a repeat, say an earlier attempt had worked."""
    refine_class: Callable[[Any], CommandClass] | None = None
    """The class where it depends on the parameters."""
    evidence: FindEvidence | None = None
    effect: EffectQuery | None = None
    """What is known of the effect of one that was accepted so many microseconds ago; None: no
    message tells of it."""
    prepare: Prepare | None = None
    """Fills into the parameters what we know of the one station that they are for, and of the
    payloads of this command that are on their way there, when the order is accepted; raises
    Invalid."""
    settled: Settled | None = None
    """Records the consequence for the station of that row id, in the transaction that settles the
    answer."""
    starts: Task | None = None
    """What the station goes on with after an answer that accepts, and tells more of."""
    leads_to_profile: Callable[[Any], int] | None = None
    """The security profile by which the station shall come back here: one that we serve."""
    unanswered: Callable[[Tx, int, JsonObject], None] | None = None
    """Records that nobody knows whether the station of that row id did as the payload says."""
    decode_v16: Mapping[str, Decode] = field(default_factory=dict)
    """By action of 1.6: the parameters its payload says, so that an order in 1.6 words reaches
    stations of other versions. Raises NotSupportedByVersion for what only 1.6 can say. The
    actions here are the command's own, also those besides `actions`."""
    check_v16: Mapping[str, Callable[[JsonObject], None]] = field(default_factory=dict)
    """By action of 1.6: the rules that its schema cannot say, for payloads that are passed through
    as they are. Raises Invalid with the path into the payload."""
    batches: Mapping[str, Batch] = field(default_factory=dict)
    """By action: the list that may have to go out in several CALLs."""
    borrows_actions: bool = False
    """Its actions are those of other commands, which they mean when they are sent raw."""
    stops_when_refused: bool = False
    """Of several CALLs the later ones only go out after the earlier ones were accepted."""
    may_follow: Callable[[ReadTx, int, JsonObject], bool] | None = None
    """Of several CALLs: whether the station is still as the earlier ones left it, so that this
    one may go out."""

    def class_of(self, params: Any) -> CommandClass:
        """The class of this command with these parameters."""
        return self.command_class if self.refine_class is None else self.refine_class(params)

    def order(self, version: OcppVersion, params: Any) -> Order:
        """The CALL for a station of `version`; raises NotSupportedByVersion."""
        encode = self.encode.get(version)
        if encode is None:
            raise NotSupportedByVersion(f"{self.name} is not supported by OCPP {version.value}")
        return encode(params)

    def read_repeat(self, payload: JsonObject) -> Answer:
        """Read the answer to an attempt that followed one of unknown outcome."""
        answer = self.read(payload)
        return replace(answer, accepted=True) if answer.status in self.gone else answer


def doc(text: str) -> dict[str, str]:
    """Field metadata: the description that the API documentation shows."""
    return {"description": text}


def needs_evse(evse_id: int | None, connector_id: int | None) -> None:
    """Raise Invalid for a connector of no EVSE."""
    if connector_id is not None and evse_id is None:
        raise Invalid("is a connector of an EVSE: name it too", loc=("connector_id",))


def connector_v16(evse_id: int, connector_id: int | None) -> int:
    """The 1.6 connector of an EVSE, which has only the one there."""
    if connector_id not in {None, 1}:
        raise NotSupportedByVersion(
            "OCPP 1.6 has one connector per EVSE: connector_id must be 1 or left out"
        )
    return evse_id


def evse_v2x(evse_id: int, connector_id: int | None) -> JsonObject:
    """EVSEType; without a connector the whole EVSE."""
    return {"id": evse_id} if connector_id is None else {"id": evse_id, "connectorId": connector_id}


def evse_of_v16(payload: JsonObject) -> int | None:
    """The EVSE of a 1.6 payload's `connectorId`; 0 and none at all are the whole station."""
    connector = payload.get("connectorId")
    if connector is None or connector == 0:
        return None
    if connector < 0:
        raise NotSupportedByVersion("a negative connectorId names no EVSE")
    return int(connector)
