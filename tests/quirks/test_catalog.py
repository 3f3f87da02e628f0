"""The files of quirks: what is refused in them, and whom a row fits."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp.quirks import catalog
from csms.ocpp.quirks.applied import NOTHING, OPERATOR, apply
from csms.ocpp.quirks.catalog import Description
from csms.ocpp.quirks.observed import Observed
from csms.ocpp.quirks.settings import Quirks

ROW = """
[[quirk]]
id = "some-quirk"
who = "Somebody"
symptom = "does something"
handling = "something is done"
sources = ["owner/repository#1"]
"""
MATCH = 'match.vendor = ["V*"]\n'
CODE = Path(__file__).resolve().parents[2] / "csms"


def test_the_files_that_ship_are_valid() -> None:
    assert len(catalog.load().entries) > 40


def test_every_quirk_that_is_noticed_has_a_row() -> None:
    assert [one.value for one in Observed if catalog.load().get(one.value) is None] == []


def test_every_setting_acts_somewhere() -> None:
    modules = [
        path.read_text("utf-8")
        for path in (CODE / "ocpp").rglob("*.py")
        if path.name != "settings.py"
    ]
    code = "\n".join(modules)
    idle = [one.name for one in fields(Quirks) if not re.search(rf"\.{one.name}\b", code)]
    assert idle == []


def test_no_code_asks_for_a_vendor() -> None:
    wrong = [
        str(path)
        for path in (CODE / "ocpp").rglob("*.py")
        if re.search(r"(vendor|model)\w*\s*(==|in\s*[\[{(])", path.read_text("utf-8"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[quirk", "not valid TOML"),
        ("other = 1", "and nothing else"),
        (ROW.replace('who = "Somebody"', ""), r"missing \['who'\]"),
        (ROW + "color = 1", r"unknown \['color'\]"),
        (ROW.replace("some-quirk", "Some Quirk"), "lower case words"),
        (ROW.replace("owner/repository#1", "https://example.com"), "not owner/repository"),
        (ROW + MATCH + "settings.color = 1", "settings.color unknown parameter"),
        (ROW + MATCH + "settings.call_timeout_s = 0", "settings.call_timeout_s must be at least"),
        (ROW + "settings.call_timeout_s = 5", "apply to nobody"),
        (ROW + 'match.color = ["red"]', "no 'color' to match"),
        (ROW + 'match.vendor = "V"', "a list of patterns"),
        (ROW + MATCH + 'match_guessed = ["model"]', "names what is not matched"),
    ],
)
def test_a_file_that_is_wrong_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(Invalid, match=complaint):
        catalog.read(text)


def test_every_field_that_is_named_has_to_fit() -> None:
    (entry,) = catalog.read(ROW + MATCH + 'match.firmware = ["1.[0-3]", "2.*"]\n')
    assert entry.fits(Description("Vendor", "any", "1.2"))
    assert entry.fits(Description("vendor", None, "2.9.9"))
    assert not entry.fits(Description("Vendor", "any", "1.4"))
    assert not entry.fits(Description("Vendor", "any", None))
    assert not entry.fits(Description("Other", "any", "1.2"))


def test_a_row_without_a_match_fits_nobody_by_itself() -> None:
    (entry,) = catalog.read(ROW)
    assert not entry.fits(Description("Vendor", "any", "1.2"))


def test_a_virtual_station_has_no_quirks_of_its_maker() -> None:
    found = catalog.load().matching(Description("ABB", "Terra AC W22", "1.0.0", virtual=True))
    assert found == ()


FIRST = ROW.replace("some-", "first-") + MATCH
SECOND = ROW.replace("some-", "second-") + MATCH


def test_lists_are_united_and_the_last_word_counts() -> None:
    entries = tuple(
        catalog.read(
            FIRST
            + 'settings.deny = ["A"]\nsettings.call_timeout_s = 60\n'
            + SECOND
            + 'settings.deny = ["B"]\nsettings.call_timeout_s = 90\nsettings.ocpp_version = "1.6"\n'
        )
    )
    found = apply(Description("V"), entries, {"ocpp_version": "2.0.1"})
    assert found.settings == Quirks(
        deny=["A", "B"], call_timeout_s=90, ocpp_version=OcppVersion.V201
    )
    assert found.origin("deny") == "second-quirk"
    assert found.origin("ocpp_version") == OPERATOR
    assert found.why("deny") == "does something (owner/repository#1)"
    assert found.why("ocpp_version") == "the settings of this station say so"


def test_what_an_operator_set_replaces_a_list() -> None:
    entries = tuple(catalog.read(FIRST + 'settings.deny = ["A"]\n'))
    assert apply(Description("V"), entries, {"deny": []}).settings.deny == []


def test_a_setting_that_is_none_any_more_is_left_out() -> None:
    found = apply(Description("V"), (), {"gone": 1, "call_timeout_s": "x", "max_stack_level": 0})
    assert found.settings == Quirks(max_stack_level=0)
    assert dict(found.overrides) == {"max_stack_level": 0}


def test_nothing_known_means_nothing_different() -> None:
    assert apply(catalog.NOBODY, (), {}) == NOTHING
