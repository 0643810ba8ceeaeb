"""What people and other controllers wrote into routes may have any shape: a router routes, or says that it can't (spec
6.2, items 4 and 5). It never raises anything else, and gives what a second pass leaves as it is.
"""

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import Phase as Part
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rollout_manager.keys import Obj
from services.rollout_manager.traffic import Destination, Unroutable, Weights
from tests.traffic.objects import CASES, Case, plan
from tests.traffic.test_every_router_routes_alike import HEADER

JUNK: Any = st.sampled_from(
    [None, {}, [], "", "text", 0, -1, 0.5, "20", True, [None], ["x"], [{}], {"x": None}, [[1]], {"name": 5}]
)
WITH_EXPERIMENT = Weights(20, 70, 100, (Destination("web-bcdfg-2-1-baseline", "exphash", 10),))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in an object."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, one in inner for place in places(one, (*path, name)))]


def put(value: Any, path: tuple[Any, ...], junk: Any) -> None:
    for name in path[:-1]:
        value = value[name]
    value[path[-1]] = junk


@pytest.mark.parametrize("case", [one for one in CASES if one.live], ids=lambda case: case.name)
@settings(max_examples=25, deadline=None, phases=(Part.explicit, Part.generate), report_multiple_bugs=False)
@given(data=st.data())
def test_junk_anywhere_is_routed_or_refused(case: Case, data: st.DataObject) -> None:
    live = {ref: copy.deepcopy(one) for ref, one in case.begin().items()}
    for _ in range(data.draw(st.integers(1, 3))):
        obj: Obj = live[data.draw(st.sampled_from(sorted(live)))]
        known = [path for path in places(obj) if path and path not in {("metadata",), ("kind",), ("apiVersion",)}]
        known = [path for path in known if path[:2] not in {("metadata", "name"), ("metadata", "namespace")}]
        put(obj, data.draw(st.sampled_from(known)), copy.deepcopy(data.draw(JUNK)))
    more: Obj = {"headers": (HEADER,)} if data.draw(st.booleans()) and case.routers[0].headers else {}
    more |= {"weights": WITH_EXPERIMENT} if data.draw(st.booleans()) and case.routers[0].experiments else {}
    with suppress(Unroutable):
        after = case.apply(live, plan(20, **more))
        assert case.apply(after, plan(20, **more)) == after
