"""A location with everything a location can have, and one whose people must not notice it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import orjson

from csms.domain.device_model import Attribute, Characteristics, Variable, VariableKey
from csms.domain.display_messages import DisplayMessage
from csms.domain.lint import Direction, Finding, Rule
from csms.domain.metering import Reading
from csms.domain.multipart import Part, ReportKind
from csms.domain.notices import Notice
from csms.domain.onboarding import Cause
from csms.domain.permissions import Role
from csms.domain.security_events import SecurityEvent
from csms.domain.stations import ConnectorStatus, StatusReport
from csms.domain.transactions import StopReport
from csms.domain.versions import OcppVersion
from csms.services import (
    connectors,
    device_model,
    inbox,
    locations,
    quirks,
    reports,
    sessions,
    transactions,
)
from csms.services.lint import Lint, Origin
from csms.store import (
    connections,
    display_messages,
    meter_values,
    notices,
    security_events,
    tokens,
)
from tests.api.chargers_dialect.conftest import Fleet
from tests.api.commands_dialect import charging
from tests.api.live import Live
from tests.api.samples import Samples
from tests.api.v1.test_charging_profiles import PROFILE
from tests.api.v1.test_messages import message
from tests.api.v1.test_station_news import monitoring_event
from tests.api.v1.transfers import link_of

if TYPE_CHECKING:
    from csms.api.routing import Route
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub
    from tests.jobs.conftest import Delivered

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECRET = "ZEBRA"
"""Is in every text that belongs to the location; who does not reach it never reads it."""
CARD = f"{SECRET}-CARD"
"""Is every id token there."""
SAID_OF_PEOPLE: list[tuple[str, dict[str, Any]]] = [
    ("Authorize", {"idTag": CARD}),
    ("TransactionEvent", {"idToken": {"idToken": CARD, "type": "ISO14443"}}),
    (
        "SendLocalList",
        {"localAuthorizationList": [{"idTag": CARD, "idTagInfo": {"parentIdTag": CARD}}]},
    ),
    ("DataTransfer", {"vendorId": "A", "data": orjson.dumps({"id_tag": CARD}).decode()}),
    ("CustomerInformation", {"customerIdentifier": CARD, "clear": False}),
    (
        "NotifyCustomerInformation",
        {"data": f"Of {CARD}", "seqNo": 0, "generatedAt": "", "requestId": 1},
    ),
]
ABSENT = "00000000-0000-4000-8000-000000000000"


@dataclass
class Everything:
    """What a path may name: parameter → the id of something that is there."""

    api: Api
    ids: dict[str, str]
    here: dict[str, str]
    """Of the ids, those of what the bound token reaches."""
    station_id: int
    location_id: int
    made: int = 0

    def path(self, route: Route, ids: dict[str, str] | None = None) -> str:
        """The route's path with these ids; what has none does not exist."""
        known = self.ids if ids is None else ids
        # The dialects call many things `uuid` and `run`; the word before tells which it is.
        found = re.sub(
            r"(\w+)/\{(\w+)\}",
            lambda one: f"{one[1]}/{known.get(f'{one[1]}/{one[2]}', known.get(one[2], ABSENT))}",
            route.path,
        )
        return re.sub(r"\{(\w+)\}", lambda one: known.get(one[1], ABSENT), found)

    def bodies(self, route: Route) -> Iterator[Any]:
        """Bodies the route takes that name what is there, in every place where they can."""
        for samples in self.samples(route.body).kinds():
            yield samples.body()
            for place, schema in samples.places():
                name = str(place[-1]) if place else ""
                if (value := self.ids.get(name.removesuffix("s"))) is not None:
                    is_list = schema.get("type") == "array"
                    yield samples.with_value(place, [value] if is_list else value)
                elif name == "target":
                    yield samples.with_value(place, {"location_id": self.ids["location_id"]})

    def query(self, route: Route) -> Any:
        """What the route must be asked."""
        return {} if route.query is None else self.samples(route.query).body()

    def samples(self, model: Any) -> Samples:
        """What a model takes, about what is there."""
        self.made += 1  # two of one identity cannot be
        meant = {"target": {"charger_id": self.ids["charger_id"]}, "identity": f"NEW-{self.made}"}
        meant["JobTarget"] = {"location_id": self.ids["location_id"]}
        return Samples(model, self.ids | meant)

    async def rows(self) -> dict[str, Any]:
        """Every row of every table that a refused request must leave alone."""

        def read(tx: Any) -> dict[str, Any]:
            tables = tx.all("SELECT name FROM sqlite_schema WHERE type = 'table'")
            return {
                name: [tuple(row) for row in tx.all(f"SELECT * FROM {name}")] for (name,) in tables
            }

        return await self.api.deps.db.read(read)

    async def rows_of_the_location(self) -> dict[str, Any]:
        """The rows that say whose they are."""
        mine = {"location_id": self.location_id, "station_id": self.station_id}

        def read(tx: Any) -> dict[str, Any]:
            columns = tx.all(
                "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c"
                " WHERE t.type = 'table' AND c.name IN ('location_id', 'station_id')"
            )
            return {
                f"{table}.{column}": [
                    tuple(row)
                    for row in tx.all(f"SELECT * FROM {table} WHERE {column} = ?", (mine[column],))
                ]
                for table, column in columns
            }

        return await self.api.deps.db.read(read)


async def make_everything(api: Api, hub: ScriptedHub) -> Everything:
    """Two locations; what there is is in the first, and its stations take every command."""
    live = Live(api, hub, cast("Any", None), cast("Any", api.deps.clock), api.deps)
    api.deps.fleet = cast("Any", table := Fleet(live))
    hub.automatic = _answer
    there, here = await api.deps.db.write(
        lambda tx: [locations.create(tx, name=f"{word} yard") for word in (SECRET, "Other")]
    )
    await live.token("bound", Role.ADMIN, here.id)
    station, _ = await table.station(f"{SECRET}-1", location_id=there.id, name=f"{SECRET} bay")
    neighbour = await live.station("CP-HERE", location_id=here.id)
    hub.connect(neighbour.id)
    ids = {
        "location_id": there.uuid,
        "site_uuid": there.uuid,
        "sites/uuid": there.uuid,
        "station_id": station.uuid,
        "charger_id": station.uuid,
        "chargers/uuid": station.uuid,
    }
    await _happen(live, station)
    await _inform(api, station)
    ids |= await _charge(live, station) | await _order(live, station, there.uuid)
    ids |= await _transfer(live, station)
    near = {
        "location_id": here.uuid,
        "sites/uuid": here.uuid,
        "station_id": neighbour.uuid,
        "charger_id": neighbour.uuid,
        "chargers/uuid": neighbour.uuid,
    }
    return Everything(api, ids, near, station.id, there.id)


def _answer(call: Delivered) -> dict[str, Any]:
    if call.action != "GetCompositeSchedule":
        return {"status": "Accepted"}
    periods = [{"startPeriod": 0, "limit": 16}]
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    return {"status": "Accepted", "connectorId": 1, "chargingSchedule": schedule}


async def _happen(live: Live, station: Station) -> None:
    """What a station says on an ordinary day."""
    deps, number = live.deps, station.id
    status = StatusReport(
        1, 1, ConnectorStatus.AVAILABLE, "Available", "NoError", SECRET, None, None, NOON, "{}"
    )
    reading = Reading(NOON, None, "Sample.Periodic", 1, 1.0, None, None, '[{"value":"1"}]')

    def write(tx: Any) -> None:
        connectors.record(tx, number, status)
        connections.insert(
            tx, number, epoch=1, generation=1, version=OcppVersion.V16, address="192.0.2.1"
        )
        meter_values.insert(tx, number, 1, None, [reading])
        quirks.withhold(tx, number, "ClearCache")
        tx.run("UPDATE stations SET vendor = ?, model = ? WHERE id = ?", (SECRET, SECRET, number))

    await deps.db.write(write)
    deps.message_log.record(message(live.api, station, "Heartbeat", payload=f'{{"a":"{SECRET}"}}'))
    for action, payload in SAID_OF_PEOPLE:
        text = orjson.dumps(payload).decode()
        deps.message_log.record(message(live.api, station, action, payload=text))
    await deps.message_log.flush()
    lint = Lint(deps.db, deps.clock)
    finding = Finding(Rule.TOO_LONG, "info", "OCPP 1.6 6.47", SECRET)
    origin = Origin(number, OcppVersion.V16, Direction.IN, "StatusNotification")
    lint.note(origin, [finding], {})
    await lint.close()


async def _inform(api: Api, station: Station) -> None:
    """What a station tells of its own accord."""
    number = station.id
    key = VariableKey(component="EVSE", variable="Power", evse_id=1)
    known = Variable(key, (Attribute(value=SECRET),), Characteristics(unit="W"))
    shown = DisplayMessage(4, "InFront", None, None, None, None, "UTF8", "en", SECRET, "{}")

    def write(tx: Any) -> None:
        security_events.insert(tx, number, SecurityEvent("Odd", SECRET, NOON, '"x"'))
        notices.insert(tx, number, Notice("NotifySettlement", SECRET, "Settled", NOON, "{}"))
        reports.receive(tx, number, Part(ReportKind.VARIABLES, 1, 0, False, NOON, "{}"))
        device_model.record(tx, number, [known])
        display_messages.upsert(tx, number, shown)

    await api.deps.db.write(write)
    await monitoring_event(api, station, 1, actual_value=SECRET)


async def _charge(live: Live, station: Station) -> dict[str, str]:
    """A transaction that goes on, and the end of one that never began."""
    going_on = await charging.start(live, station, id_token=CARD)
    await charging.measure(live, station, 1, [{"value": "1"}], of=going_on)
    lost = StopReport("4711", CARD, 1, NOON, "Local", (), frozenset(), "{}")
    await live.deps.db.write(lambda tx: transactions.stop(tx, station.id, lost, charging.POLICY))
    (entry,) = (await live.ok("GET", "/api/v1/reconciliation"))["items"]
    return {"transaction_id": going_on.uuid, "reconciliation/entry_id": entry["id"]}


async def _transfer(live: Live, station: Station) -> dict[str, str]:
    """Files that went to a station and came from it."""
    headers = {"Content-Type": "application/octet-stream"}
    path = f"/api/v1/firmware-images?name={SECRET}.bin"
    image = await live.ok("POST", path, 201, data=b"x", headers=headers)
    made = await live.ok("POST", f"/api/v1/stations/{station.uuid}/logs", 202, json={})
    link = link_of(live.hub.calls[-1])
    await live.ok("PUT", link, 201, data=SECRET.encode(), role=None)
    (log_file,) = (await live.ok("GET", "/api/v1/log-files"))["items"]
    return {"image_id": image["id"], "transfer_id": made["id"], "log_file_id": log_file["id"]}


async def _order(live: Live, station: Station, place: str) -> dict[str, str]:
    """What people did."""
    await inbox.record(live.deps.db, f"{SECRET}-NEW", Cause.UNKNOWN_IDENTITY, "192.0.2.1")
    (entry,) = (await live.ok("GET", "/api/v1/inbox"))["items"]
    path = f"/api/v1/stations/{station.uuid}"
    body: Any = {"id_token": CARD, "expires_at": "2026-05-01T14:00:00Z", "evse_id": 1}
    reservation = await live.ok("POST", f"{path}/reservations", 201, json=body)
    body = {"charging_profile": PROFILE, "evse_id": 1}
    profile = await live.ok("POST", f"{path}/charging-profiles", 201, json=body)
    await live.ok("PUT", f"{path}/local-list", json={"entries": [{"id_token": CARD}]})
    command = await live.ok("POST", f"{path}/commands", json={"command": "clear_cache"})
    body = {"name": "Street", "variables": [{"variable": "HeartbeatInterval", "value": "300"}]}
    configuration = await live.ok("POST", "/api/v1/config-templates", 201, json=body)
    limit = {**PROFILE, "purpose": "TxDefaultProfile"}
    body = {"name": "Night", "charging_profile": limit}
    night = await live.ok("POST", "/api/v1/charging-profile-templates", 201, json=body)
    await live.ok("PUT", f"/api/v1/locations/{place}/prices", json={"currency": "EUR"})
    body = {"value": CARD, "status": "Accepted", "group_id_token": CARD}
    id_token = await live.ok("POST", "/api/v1/id-tokens", 201, json=body)
    token = await live.ok("POST", "/api/v1/tokens", 201, json={"name": SECRET, "role": "viewer"})
    session_id = await live.deps.db.write(lambda tx: _sign_in(tx, token["id"]))
    # Nobody listens there, so its deliveries fail at once.
    body = {"url": f"http://127.0.0.1:9/{SECRET}", "location_ids": [place]}
    webhook = await live.ok("POST", "/api/v1/webhooks", 201, json=body)
    delivery = await live.ok("POST", f"/api/v1/webhooks/{webhook['id']}/test")
    body = {"command": "Reset", "data": {"type": "Soft"}, "charger_ids": [station.uuid]}
    run = await live.ok("POST", "/api/v3/chargers/commands/bulk", 202, json=body)
    template = {"brand_slug": "generic", "model_slug": "ac-22kw", "connector_type": "Type2"}
    template |= {"ws_url": "ws://127.0.0.1/ocpp", "identity_prefix": SECRET}
    body = [{"template": template, "charger_ids": ["2"]}]
    job = await live.ok("POST", f"/ocpp/locations/{place}/chargers", 202, json=body)
    await live.poll(job["status_url"], lambda one: one["status"] == "READY")
    return {
        "inbox/entry_id": entry["id"],
        "evse_id": "1",
        "reservation_id": str(reservation["reservation_id"]),
        "profile_id": str(profile["profile_id"]),
        "call": "ClearCache",
        "id_token_id": id_token["id"],
        "token_id": token["id"],
        "session_id": session_id,
        "webhook_id": webhook["id"],
        "delivery_id": delivery["id"],
        "command_id": command["id"],
        "charging_profile_template_id": night["id"],
        "config_template": configuration["id"],
        "config_template_id": configuration["id"],
        "job_id": job["job_id"],
        "run": run["data"]["uuid"],
        "bulk/run": run["data"]["uuid"],
        "brand_slug": "generic",
        "model_slug": "ac-22kw",
        "name": "style.css",
    }


def _sign_in(tx: Any, token_id: str) -> str:
    token = tokens.get(tx, token_id)
    session, _ = sessions.begin(tx, token, address="192.0.2.1", user_agent=SECRET, instead_of=None)
    return session.public_id
