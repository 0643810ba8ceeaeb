"""What an AnalysisTemplate can hold that is meant to hurt ends in words that help: spec 6.2, items 3, 8, 9, 15, 16, 18.

Who may be asked over HTTP and how much of an answer is read: test_metrics_are_asked_of_their_providers.py.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rollout_manager.analysis import InvalidAnalysis
from services.rollout_manager.analysis.arguments import filled, redacted
from services.rollout_manager.analysis.decide import LARGEST, Decision, Seen, decide
from services.rollout_manager.analysis.flatten import flattened, reached, ref_of
from services.rollout_manager.analysis.measure import LONGEST_VALUE, judge, measure
from services.rollout_manager.analysis.metrics import MOST, Metric, read
from services.rollout_manager.analysis.named import chosen
from services.rollout_manager.analysis.providers import Answer
from services.rollout_manager.keys import Obj, Ref
from shared.engines.client import Engines
from shared.engines.errors import EngineError
from shared.kinds.analysis import AnalysisRunStatus, Measurement, TemplateRef
from shared.kinds.analysis import Metric as Written
from tests.analysis.test_what_measurements_mean import BEGIN, measurement

WEB: Obj = {"web": {"url": "http://metrics.example.org"}}


def template(name: str, *named: Obj, metrics: list[Obj] | None = None) -> Obj:
    spec = {"metrics": metrics or [], "templates": list(named)}
    return {"kind": "AnalysisTemplate", "metadata": {"name": name, "namespace": "test"}, "spec": spec}


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3), max_size=6))
def test_templates_that_name_each_other_in_any_way_end(edges: dict[str, list[str]]) -> None:
    metric = {"name": "m", "provider": WEB}
    found: dict[Ref, Obj | None] = {
        ref_of(TemplateRef(template_name=name), "test"): template(
            name, *({"templateName": one} for one in named), metrics=[metric] if not named else []
        )
        for name, named in edges.items()
    }
    begin = [ref_of(TemplateRef(template_name="a"), "test")]
    assert len(reached(begin, found)) <= 6
    with suppress(InvalidAnalysis):
        assert flattened(begin, found).metrics


def nested(levels: int, ways: int) -> dict[Ref, Obj | None]:
    """Each level names the next one, as often as there are ways."""
    last = template("t0", metrics=[{"name": "m", "provider": WEB}])
    above = (template(f"t{level}", *[{"templateName": f"t{level - 1}"}] * ways) for level in range(1, levels + 1))
    return {ref_of(TemplateRef(template_name=one["metadata"]["name"]), "test"): one for one in (last, *above)}


def test_ways_that_double_at_each_level_are_gone_once() -> None:
    found = nested(30, 4)
    assert [one.name for one in flattened([ref_of(TemplateRef(template_name="t30"), "test")], found).metrics] == ["m"]


def test_a_nest_without_a_bottom_is_said() -> None:
    with pytest.raises(InvalidAnalysis, match="more than 32 deep"):
        flattened([ref_of(TemplateRef(template_name="t3000"), "test")], nested(3000, 1))


async def test_a_pattern_that_would_never_end_elsewhere_is_done_at_once(engines: Engines) -> None:
    names = ["a" * 40_000 + "!", "other"]
    assert await chosen(engines, ["(a+)+$|(a|a)*!"], names, "dryRun") == {names[0]: 0}
    with pytest.raises(InvalidAnalysis, match=r"dryRun\[0\]"):
        await chosen(engines, ["(?=a)"], names, "dryRun")


BOMBS = (
    "map(1..1000000000, # * 2)[0] == 2",
    "len(repeat('x', 2000000000)) > 0",
    "all(1..100000, all(1..100000, all(1..100000, # > 0)))",
    "-" * 20_000 + "1 == 1",
    " + ".join(["1"] * 20_000) + " == 1",
    "result[99999999999999999999]",
    "__import__('os').system('true')",
)


@pytest.mark.parametrize("condition", BOMBS, ids=lambda text: str(text)[:40])
async def test_a_condition_that_would_eat_everything_is_an_error(engines: Engines, condition: str) -> None:
    metric = Metric("m", "web", {}, success=condition)
    with pytest.raises(EngineError):
        await judge(engines, metric, Answer([1.0], "[1]"))
    fine = Metric("m", "web", {}, success="result[0] == 1")
    assert (await judge(engines, fine, Answer([1.0], "[1]"))).phase == "Successful"


HOSTILE = st.text(alphabet=st.sampled_from(list('"\\{}\u2028\u2029\n\r\t\0 .args')) | st.characters(codec="utf-8"))


@given(HOSTILE, HOSTILE)
def test_no_value_gets_out_of_its_place(one: str, other: str) -> None:
    written = {"provider": {"web": {"url": "x{{args.a}}y", "body": "{{ args.b }}"}}, "count": "{{args.a}}"}
    made = filled(written, {"a": one, "b": other, "result": "no"})
    assert made == {"provider": {"web": {"url": f"x{one}y", "body": other}}, "count": one}


@pytest.mark.parametrize("text", ["{{args.{{args.a}}}}", "{{args.len}} {{args.now}}"])
def test_places_in_places_and_names_of_functions_are_only_names(text: str) -> None:
    if "len" in text:
        assert filled(text, {"len": "1", "now": "2"}) == "1 2"
        return
    assert filled(text, {"a": "b", "b": "secret"}) == "{{args.b}}"


@pytest.mark.parametrize("count", ["NaN", "Inf", "1e3", "{{args.n}}", "5.5", "0x10"])
def test_a_count_that_is_none_is_said(count: str) -> None:
    with pytest.raises(InvalidAnalysis, match="is no number"):
        read([Written.parse({"name": "m", "provider": WEB, "interval": "1s", "count": count})])
    assert read([Written.parse({"name": "m", "provider": WEB, "interval": "1s", "count": "5"})])[0].count == 5


def test_a_secret_is_hidden_also_as_json_writes_it() -> None:
    secret = 'line one\nline "two"'
    shown = redacted('{"echo": "line one\\nline \\"two\\""} line one\nline "two"', [secret])
    assert shown == '{"echo": "*****"} *****'


def test_more_metrics_than_fit_into_an_object_are_an_error_at_once() -> None:
    many = [Written.parse({"name": f"m{number}", "provider": WEB}) for number in range(10_000)]
    with pytest.raises(InvalidAnalysis, match="10000 metrics: an AnalysisRun may have 1000"):
        read(many)
    assert len(read(many[:MOST])) == MOST


def test_measurements_that_outgrow_an_object_end_the_run_in_words() -> None:
    metrics = tuple(Metric(f"m{number}", "web", {}, interval=10.0, count=None) for number in range(100))
    big = Measurement.model_validate({**measurement("S").to_wire(), "value": "x" * 1000})
    status, passes = AnalysisRunStatus(), 0
    while status.phase in {"", "Running"}:
        fresh = tuple((one.name, big) for one in metrics)
        decision: Decision = decide(Seen(metrics, status, BEGIN, fresh=fresh, busy=frozenset({"m1"})))
        status, passes = AnalysisRunStatus.model_validate(decision.status), passes + 1
    assert (status.phase, decision.stop, passes) == ("Error", ("m1",), LARGEST // 115_000 + 1)
    assert "larger than an object may be" in status.message


@dataclass(frozen=True)
class Talkative:
    """Nothing of `Ask` is needed where the Job answers at once."""

    async def job(self, _metric: Metric) -> Answer:
        return Answer(1.0, "v" * 5000, message="m" * 5000, metadata={"ResolvedPrometheusQuery": "q" * 5000 + "s3cret"})


async def test_a_measurement_is_clipped_whatever_of_it_is_long(engines: Engines) -> None:
    talkative: Any = Talkative()
    found = await measure(talkative, engines, Metric("m", "job", {}), ["s3cret"])
    assert len(found.value) == len(found.metadata["ResolvedPrometheusQuery"]) == LONGEST_VALUE
