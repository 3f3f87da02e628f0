from __future__ import annotations

from typing import Any

import pytest

from csms.events import Bus, Event
from csms.ocpp.meanwhile import Meanwhile, end_of


@pytest.mark.parametrize(
    ("changed", "by_password", "by_certificate"),
    [
        ({"name": "Left"}, None, None),
        ({"security_profile": 3}, 1012, 1012),
        ({"serial_number": "7"}, None, 1012),
    ],
)
def test_a_change_ends_what_could_not_come_in_like_that_again(
    changed: dict[str, Any], by_password: int | None, by_certificate: int | None
) -> None:
    event = Event("station.updated", changed, station_id=1)
    ends = [end_of(event, by_certificate=certified) for certified in (False, True)]
    assert [by_password, by_certificate] == [end and end[0] for end in ends]


def test_each_who_knocks_hears_of_its_own_time() -> None:
    bus = Bus()
    meanwhile = Meanwhile(bus)
    with meanwhile.watched(by_certificate=False) as early:
        bus.publish(Event("station.blocked", {}, station_id=1))
        with meanwhile.watched(by_certificate=True) as late:
            bus.publish(Event("station.updated", {"serial_number": "7"}, station_id=2))
    bus.publish(Event("station.blocked", {}, station_id=3))
    assert ({1}, {2}) == (early, late)
