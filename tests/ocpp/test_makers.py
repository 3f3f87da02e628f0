"""What is known of makers: complete, and with a source that anybody can look up."""

from __future__ import annotations

import re

from csms.ocpp import makers

SOURCE = re.compile(r"([\w.-]+/[\w.-]+(#\d+)?|https://\S+)\Z")


def test_every_maker_says_where_it_was_told() -> None:
    found = makers.load()
    assert len(found) >= 20
    for maker in found:
        assert maker.steps.endswith(".")
        assert maker.sources
        assert [] == [one for one in maker.sources if not SOURCE.match(one)]


def test_they_are_in_order_and_none_is_there_twice() -> None:
    names = [maker.name.lower() for maker in makers.load()]
    assert sorted(set(names)) == names


def test_a_name_as_people_write_it_finds_its_maker_alone() -> None:
    for maker in makers.load():
        assert [maker] == [one for one in makers.load() if one.fits(maker.name.lower(), None)]
