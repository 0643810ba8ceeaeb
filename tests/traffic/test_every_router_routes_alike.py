"""What holds for every traffic router: the weights arrive, a second pass changes nothing, what is foreign stays, going
back leaves what was there, and what can't be routed is said before anything is written.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rollout_manager.traffic import Unroutable, Weights
from shared.kinds.strategy import HeaderRoute
from tests.traffic.objects import CASES, Case, plan

HEADER = HeaderRoute.model_validate(
    {"name": "second", "match": [{"headerName": "X-Team", "headerValue": {"exact": "blue"}}]}
)
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@each
@given(weight=st.integers(0, 100))
def test_weights_arrive_and_stay(case: Case, weight: int) -> None:
    once = case.apply(case.begin(), plan(weight))
    canary, stable = case.shares(once)
    assert abs(canary - weight) <= 1
    assert canary + stable == 100
    assert case.apply(once, plan(weight)) == once


@each
@given(weights=st.lists(st.integers(0, 100), min_size=1, max_size=4))
def test_the_last_weight_counts_and_what_is_foreign_stays(case: Case, weights: list[int]) -> None:
    before = case.begin()
    after = before
    for weight in weights:
        after = case.apply(after, plan(weight))
    assert case.foreign(after) == case.foreign(before)
    assert after == case.apply(before, plan(weights[-1]))


@pytest.mark.parametrize("case", [one for one in CASES if one.routers[0].headers], ids=lambda case: case.name)
def test_a_header_route_comes_and_goes(case: Case) -> None:
    plain = case.apply(case.begin(), plan(20))
    routed = case.apply(plain, plan(20, headers=(HEADER,)))
    assert routed != plain
    assert "X-Team" in str(routed)
    assert "blue" in str(routed)
    assert case.shares(routed) == case.shares(plain)
    assert case.apply(routed, plan(20, headers=(HEADER,))) == routed
    assert case.apply(routed, plan(20)) == plain
    assert case.foreign(case.apply(routed, plan(0))) == case.foreign(case.begin())


@pytest.mark.parametrize("case", [one for one in CASES if one.live], ids=lambda case: case.name)
def test_what_is_missing_is_said(case: Case) -> None:
    with pytest.raises(Unroutable, match=r"not found"):
        case.apply({}, plan(20))


@pytest.mark.parametrize("case", [one for one in CASES if one.live], ids=lambda case: case.name)
def test_objects_without_what_they_should_have_are_no_crash(case: Case) -> None:
    empty = {ref: {**one, "spec": {}} for ref, one in case.begin().items()}
    if case.name == "ambassador":
        assert case.shares(case.apply(empty, plan(20))) == (20, 80)
        return
    with pytest.raises(Unroutable):
        case.apply(empty, plan(20))


@pytest.mark.parametrize("case", [one for one in CASES if one.routers[0].experiments], ids=lambda case: case.name)
def test_an_experiment_has_its_share_while_it_lasts(case: Case) -> None:
    from services.rollout_manager.traffic import Destination

    experiment = Destination("web-bcdfg-2-1-baseline", "exphash", 10)
    weights = Weights(20, 70, 100, (experiment,))
    with_it = case.apply(case.begin(), plan(weights=weights))
    assert experiment.service in str(with_it)
    assert case.apply(with_it, plan(weights=weights)) == with_it
    without = case.apply(with_it, plan(20))
    assert experiment.service not in str(without)
    assert without == case.apply(case.begin(), plan(20))
