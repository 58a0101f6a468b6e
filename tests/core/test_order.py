"""Which of two answers is the later: by version, else by time, else it is read again."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tieout.core.order import Stamp, judge

T1, T2 = dt.datetime(2026, 6, 1, tzinfo=dt.UTC), dt.datetime(2026, 6, 2, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("held", "at_hand", "is_"),
    [
        pytest.param(Stamp("3", T1), Stamp("4", T1), "newer", id="a higher version is later"),
        pytest.param(Stamp("9", T1), Stamp("10", T1), "newer", id="versions compare as numbers"),
        pytest.param(Stamp("4", T1), Stamp("3", T2), "older", id="the version outranks the time"),
        pytest.param(Stamp("4", T1), Stamp("4", T1), "same", id="the same version at the same time is the same answer"),
        pytest.param(Stamp("4", T2), Stamp("4", T1), "older", id="of one version the earlier time is older"),
        pytest.param(Stamp("4", T1), Stamp("4"), "same", id="a version without a time is still a version"),
        pytest.param(Stamp("", T1), Stamp("", T2), "newer", id="without versions the later time"),
        pytest.param(Stamp("", T2), Stamp("", T1), "older", id="an earlier time is older"),
        pytest.param(Stamp("", T1), Stamp("", T1), "unknown", id="one tick of a clock may hold two changes"),
        pytest.param(Stamp("abc", None), Stamp("abc", None), "same", id="a tag says whether it is the same"),
        pytest.param(Stamp("abc", None), Stamp("abd", None), "unknown", id="and nothing of which is later"),
        pytest.param(Stamp("abc", T1), Stamp("abd", T2), "newer", id="for that there is the time"),
        pytest.param(Stamp(), Stamp("1", T1), "unknown", id="nothing held says nothing"),
        pytest.param(Stamp("1", T1), Stamp(), "unknown", id="nothing said says nothing"),
    ],
)
def test_the_later_of_two(held: Stamp, at_hand: Stamp, is_: str) -> None:
    assert judge(held, at_hand) == is_


_STAMPS = some.builds(Stamp, some.sampled_from(["", "0", "1", "2", "10", "etag"]), some.sampled_from([None, T1, T2]))


@given(_STAMPS, _STAMPS)
def test_both_sides_see_the_same_order(one: Stamp, other: Stamp) -> None:
    turned = {"newer": "older", "older": "newer", "same": "same", "unknown": "unknown"}
    assert judge(other, one) == turned[judge(one, other)]
