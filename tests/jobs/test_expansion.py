"""Groups become stations: order, cutting, padding, duplicates, and what may be drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.identity import identity_key
from csms.jobs.expansion import Group, Planned, draw_suffix, expand, total


def nobody(identities: Sequence[str]) -> set[str]:
    return set()


def drawing(*suffixes: str) -> Callable[[], str]:
    return iter(suffixes).__next__


def identities(planned: Iterable[Planned]) -> list[str]:
    return [station.identity for station in planned]


def test_explicit_suffixes_alone_are_all_there_is() -> None:
    planned = expand([Group("SITE_", suffixes=("001", "002"))], draw=drawing(), taken=nobody)

    assert identities(planned) == ["SITE_001", "SITE_002"]


def test_a_number_alone_is_all_random() -> None:
    planned = expand([Group("A-", number=2)], draw=drawing("00aa00aa", "00bb00bb"), taken=nobody)

    assert identities(planned) == ["A-00aa00aa", "A-00bb00bb"]


def test_missing_suffixes_are_padded_after_the_explicit_ones() -> None:
    group = Group("A-", suffixes=("1",), number=3)

    assert identities(expand([group], draw=drawing("x", "y"), taken=nobody)) == [
        "A-1",
        "A-x",
        "A-y",
    ]


def test_the_list_is_cut_before_duplicates_are_looked_for() -> None:
    group = Group("A-", suffixes=("1", "2", "1"), number=2)
    planned = expand([group], draw=drawing(), taken=nobody)

    assert identities(planned) == ["A-1", "A-2"]
    assert [station.code for station in planned] == [None, None]


def test_zero_is_a_group_of_none() -> None:
    assert expand([Group(suffixes=("1",), number=0)], draw=drawing(), taken=nobody) == []


def test_the_first_of_equal_identities_wins_across_groups() -> None:
    groups = [Group("A", suffixes=("1", "1")), Group("", suffixes=("a1", "b"))]
    planned = expand(groups, draw=drawing(), taken=nobody)

    assert [station.code for station in planned] == [
        None,
        "duplicate_identity",
        "duplicate_identity",
        None,
    ]
    assert planned[1].message == "Duplicate station identity"


def test_what_cannot_be_an_identity_fails_alone() -> None:
    suffixes = ("ok", "a/b", "a:b", "", "x" * 49, "tab\t")
    planned = expand([Group("", suffixes=suffixes)], draw=drawing(), taken=nobody)

    assert [None, *["invalid_identity"] * 5] == [station.code for station in planned]


def test_a_draw_never_repeats_the_batch_or_takes_a_later_explicit_suffix() -> None:
    groups = [Group("A", number=2), Group("A", suffixes=("bb",))]
    planned = expand(groups, draw=drawing("aa", "AA", "bb", "cc"), taken=nobody)

    assert identities(planned) == ["Aaa", "Acc", "Abb"]
    assert {None} == {station.code for station in planned}


def test_a_draw_avoids_stations_that_exist() -> None:
    def first_is_taken(asked: Sequence[str]) -> set[str]:
        return {identity_key(identity) for identity in asked} & {"aaa"}

    planned = expand([Group("A", number=2)], draw=drawing("aa", "bb", "cc"), taken=first_is_taken)

    assert identities(planned) == ["Abb", "Acc"]


def test_steps_and_names_say_which_one_it_is() -> None:
    groups = [Group("A", suffixes=("1",)), Group("B", display_name="Bay", suffixes=("1", "02"))]
    planned = expand(groups, draw=drawing(), taken=nobody)

    assert [s.step for s in planned] == ["charger-0-0-1", "charger-1-0-1", "charger-1-1-02"]
    assert [s.name for s in planned] == ["A1", "Bay 1", "Bay 02"]


def test_a_drawn_suffix_is_eight_hexadecimal_digits() -> None:
    suffix = draw_suffix()

    assert len(suffix) == 8
    assert set(suffix) <= set("0123456789abcdef")


suffixes = st.text(st.sampled_from("abAB01/"), max_size=3)
groups = st.builds(
    Group,
    identity_prefix=st.sampled_from(["", "a", "A", "x" * 48]),
    suffixes=st.none() | st.lists(suffixes, max_size=6).map(tuple),
    number=st.none() | st.integers(0, 8),
)


@given(st.lists(groups, max_size=4))
def test_every_requested_station_is_planned_once_and_good_ones_are_unique(
    asked: list[Group],
) -> None:
    planned = expand(asked, draw=draw_suffix, taken=nobody)

    assert total(asked) == len(planned)
    good = [identity_key(station.identity) for station in planned if station.code is None]
    assert len(set(good)) == len(good)
