"""RequestStartTransaction, on 1.6 RemoteStartTransaction: start charging from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from csms.domain.charging_profiles import ChargingProfile, check_for_start, check_for_start_v16
from csms.domain.id_tokens import id_token_key
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp.charging_profiles import params_of_v16, profile_v16, profile_v21, profile_v201
from csms.ocpp.commands import params as parameters
from csms.ocpp.commands import profiles_v16
from csms.ocpp.commands.command import (
    Command,
    Evidence,
    EvidenceQuery,
    EvseId,
    Order,
    doc,
    evse_of_v16,
)
from csms.ocpp.commands.effects import follows
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.frames import JsonObject
from csms.ocpp.id_tokens import CARD, IdToken, IdTokenType, tag_v16, token_v21, token_v201
from csms.store import evidence as evidence_store
from csms.store.database import ReadTx


@dataclass(frozen=True, slots=True)
class RequestStartTransaction:
    """Parameters of request_start_transaction."""

    id_token: IdToken = field(
        metadata=doc("on whose account; at most 20 characters on OCPP 1.6, 36 on 2.0.1")
    )
    evse_id: EvseId | None = field(
        default=None, metadata=doc("where; left out: the station chooses")
    )
    id_token_type: IdTokenType = field(
        default=CARD, metadata=doc("what kind of token it is; OCPP 1.6 has no types")
    )
    charging_profile: ChargingProfile | None = field(
        default=None, metadata=doc("a TxProfile for the transaction")
    )
    remote_start_id: RequestId = request_id()

    def __post_init__(self) -> None:
        if self.charging_profile is not None:
            check_for_start(self.charging_profile)


def encode_v16(params: RequestStartTransaction) -> Order:
    """The EVSE is the connector; a tag has no type."""
    payload: JsonObject = {"idTag": tag_v16(params.id_token)}
    if params.evse_id is not None:
        payload["connectorId"] = params.evse_id
    if params.charging_profile is not None:
        payload["chargingProfile"] = profile_v16(params.charging_profile)
    return Order("RemoteStartTransaction", payload)


def encode_v201(params: RequestStartTransaction) -> Order:
    """The station repeats remoteStartId in the transaction that comes of it (2.0.1 F02)."""
    return _order(params, token_v201, profile_v201)


def encode_v21(params: RequestStartTransaction) -> Order:
    """As 2.0.1, with the tokens and the profiles of 2.1."""
    return _order(params, token_v21, profile_v21)


def _order(
    params: RequestStartTransaction,
    token: Callable[[str, str], JsonObject],
    profile: Callable[[ChargingProfile], JsonObject],
) -> Order:
    payload: JsonObject = {
        "idToken": token(params.id_token, params.id_token_type),
        "remoteStartId": params.remote_start_id,
    }
    if params.evse_id is not None:
        payload["evseId"] = params.evse_id
    if params.charging_profile is not None:
        payload["chargingProfile"] = profile(params.charging_profile)
    return Order("RequestStartTransaction", payload)


def decode_v16(payload: JsonObject) -> RequestStartTransaction:
    """A tag is taken for a card."""
    profile = payload.get("chargingProfile")
    return RequestStartTransaction(
        payload["idTag"],
        evse_of_v16(payload),
        charging_profile=None
        if profile is None
        else parameters.parse(ChargingProfile, params_of_v16(profile)),
    )


def check_v16(payload: JsonObject) -> None:
    """A connector is one (OCPP 1.6 6.33), and a profile a TxProfile of no transaction yet."""
    if payload.get("connectorId", 1) < 1:
        raise Invalid("must be 1 or more, or left out", loc=("connectorId",))
    if "chargingProfile" in payload:
        profiles_v16.check(payload, "chargingProfile", check_for_start_v16)


def evidence(tx: ReadTx, query: EvidenceQuery) -> Evidence | None:
    """A transaction that names the request; on 1.6 one of the same token that began since."""
    if query.version is not OcppVersion.V16:
        started_at = evidence_store.find_remote_start(
            tx,
            station_id=query.station_id,
            remote_start_id=query.payload["remoteStartId"],
            since=query.intent_at,
        )
        return None if started_at is None else Evidence("transaction", started_at, inferred=False)
    started_at = evidence_store.find_transaction_start(
        tx,
        station_id=query.station_id,
        id_token_key=id_token_key(str(query.payload.get("idTag", ""))),
        evse_id=query.payload.get("connectorId"),
        since=query.intent_at,
    )
    return None if started_at is None else Evidence("transaction", started_at, inferred=True)


COMMAND = Command(
    name="request_start_transaction",
    summary="Start a transaction",
    command_class=CommandClass.C,
    params=RequestStartTransaction,
    actions={
        OcppVersion.V16: "RemoteStartTransaction",
        OcppVersion.V201: "RequestStartTransaction",
        OcppVersion.V21: "RequestStartTransaction",
    },
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    evidence=evidence,
    effect=follows(evidence, within_s=120),
    decode_v16={"RemoteStartTransaction": decode_v16},
    check_v16={"RemoteStartTransaction": check_v16},
)
