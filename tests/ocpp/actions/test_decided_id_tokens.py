"""What stations of each version hear about tokens that a person decided about."""

from __future__ import annotations

import pytest

from csms.domain.id_tokens import Decision, ShownToken, narrow_v16
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import authorize, start_transaction, transaction_event
from csms.services import id_tokens
from csms.services.id_tokens import Settings

V16, V201, V21 = OcppVersion


@pytest.fixture
def keep(db):
    async def make(value, decision=Decision.ACCEPTED, **settings):
        await db.write(
            lambda tx: id_tokens.create(tx, ShownToken(value), Settings(decision, **settings))
        )

    return make


async def ask(station, token):
    """What Authorize says of the token."""
    if station.version is V16:
        answer = await authorize.on_v16(station, {"idTag": token})
    else:
        answer = await authorize.on_v2x(station, {"idToken": card(token)})
    assert schemas.is_valid(station.version, "Authorize", "response", answer)
    (info,) = answer.values()
    return info


async def start(station, token, *, number=1):
    """What a new transaction with the token is answered."""
    if station.version is V16:
        answer = await start_transaction.on_v16(
            station,
            {
                "connectorId": number,
                "idTag": token,
                "meterStart": 0,
                "timestamp": "2026-05-01T12:00:00Z",
            },
        )
        return answer["idTagInfo"]
    return (await tell(station, token, "Started", "Authorized", number=number))["idTokenInfo"]


async def tell(station, token, event_type, trigger, *, number=1, seq_no=0):
    answer = await transaction_event.on_v2x(
        station,
        {
            "eventType": event_type,
            "timestamp": "2026-05-01T12:00:00Z",
            "triggerReason": trigger,
            "seqNo": seq_no,
            "transactionInfo": {"transactionId": f"T{number}"},
            "evse": {"id": number, "connectorId": 1},
            "idToken": card(token),
        },
    )
    assert schemas.is_valid(station.version, "TransactionEvent", "response", answer)
    return answer


def card(token):
    return {"idToken": token, "type": "ISO14443"}


@pytest.mark.parametrize("version", OcppVersion)
@pytest.mark.parametrize("decision", Decision)
async def test_every_decision_has_its_word(connect, keep, version, decision):
    station = await connect("S", version)
    await keep("CARD", decision)
    word = narrow_v16(decision) if version is V16 else decision.value
    assert await ask(station, "card") == {"status": word}
    assert await start(station, "card") == {"status": word}


@pytest.mark.parametrize("version", OcppVersion)
async def test_an_alias_is_answered_with_the_group_of_its_token(connect, keep, version):
    station = await connect("S", version)
    await keep("04A1B2C3", aliases=("04A1B2C3_17001",), group="FLEET")
    group = {"groupIdToken": {"idToken": "FLEET", "type": "Central"}}
    if version is V16:
        group = {"parentIdTag": "FLEET"}
    assert await ask(station, "04a1b2c3_17001") == {"status": "Accepted", **group}


@pytest.mark.parametrize("version", OcppVersion)
async def test_a_token_at_its_limit_starts_nothing_but_may_be_shown(connect, keep, version):
    station = await connect("S", version)
    await keep("CARD", max_open_transactions=1)
    assert await start(station, "CARD", number=1) == {"status": "Accepted"}
    assert await start(station, "CARD", number=2) == {"status": "ConcurrentTx"}
    assert await ask(station, "CARD") == {"status": "Accepted"}


@pytest.mark.parametrize("version", [V201, V21])
async def test_a_master_stops_the_transaction_of_another_and_starts_none(connect, keep, version):
    station = await connect("S", version)
    await keep("BOSS", is_master=True, group="MASTER")
    group = {"groupIdToken": {"idToken": "MASTER", "type": "Central"}}
    assert await ask(station, "BOSS") == {"status": "Accepted", **group}
    await start(station, "CARD")
    told = await tell(station, "BOSS", "Ended", "StopAuthorized", seq_no=1)
    assert told == {"idTokenInfo": {"status": "Accepted", **group}}
    assert await start(station, "BOSS", number=2) == {"status": "Invalid", **group}


@pytest.mark.parametrize("version", OcppVersion)
async def test_an_unknown_token_is_kept_with_the_station_that_showed_it(connect, rows, version):
    station = await connect("S", version)
    await ask(station, "STRANGER")
    await start(station, "STRANGER")
    kept = await rows("SELECT value, status, last_station_id FROM id_tokens")
    assert kept == [
        {"value": "STRANGER", "status": "Unknown", "last_station_id": station.station_id}
    ]
