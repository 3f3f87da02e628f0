"""What /metrics is told of items that came to an end."""

from __future__ import annotations

from csms.domain.jobs import NewItem
from csms.domain.versions import OcppVersion
from csms.jobs.kinds import command

from .conftest import PRINCIPAL, Bench

TRIGGER = command.Wanted(
    version=OcppVersion.V16, action="TriggerMessage", payload={"requestedMessage": "Heartbeat"}
)


async def test_every_item_that_was_tried_counts_once_with_its_end(bench: Bench) -> None:
    made = [await bench.station(name) for name in ("accepts", "rejects")]
    made.append(await bench.station("gone", connect=False))
    bench.stations.automatic = lambda call: {
        "status": "Accepted" if call.station_id == made[0].id else "Rejected"
    }
    submitted = await bench.engine.submit(
        command.submission(
            principal=PRINCIPAL,
            wanted=TRIGGER,
            targets=[NewItem(station.uuid, station.id) for station in made],
            dialect="native",
        )
    )
    for seq in range(len(made)):
        await bench.engine.settled(submitted.job.id, seq, timeout_s=30)
    expected = {("command", "succeeded"): 1, ("command", "rejected"): 1, ("command", "offline"): 1}
    assert expected == dict(bench.engine.ended)
