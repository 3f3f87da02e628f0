"""The word for a station in each dialect."""

from __future__ import annotations

import pytest

from csms.api.errors import render
from csms.api.routing import Dialect
from csms.api.wording import of_chargers
from csms.errors import CallRefused, NotFound


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Station not found", "Charger not found"),
        ("the station answered; two stations", "the charger answered; two chargers"),
        ("stationary", "stationary"),
    ],
)
def test_a_station_is_a_charger_to_the_older_dialects(ours: str, theirs: str) -> None:
    assert theirs == of_chargers(ours)


def test_a_refusal_says_it_in_the_words_of_its_dialect() -> None:
    refusal = NotFound("Station not found")
    assert {"detail": "Charger not found"} == render(refusal, Dialect.CHARGERS).body
    assert "Charger not found" == render(refusal, Dialect.COMMANDS).body["message"]
    assert "Station not found" == render(refusal, Dialect.NATIVE).body["detail"]


@pytest.mark.parametrize("dialect", [Dialect.CHARGERS, Dialect.COMMANDS])
def test_the_words_of_a_station_stay_as_they_are(dialect: Dialect) -> None:
    told = render(CallRefused("InternalError", "station fault 7"), dialect)

    assert "InternalError: station fault 7" in told.body.values()
