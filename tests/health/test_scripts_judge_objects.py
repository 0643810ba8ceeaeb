"""Health scripts of the settings: which one judges, what it may answer, and that each state is judged once."""

import asyncio
from typing import Any

import orjson
import pytest

from services.reconciler.assess import Assessor
from services.reconciler.live import Live
from shared.engines.client import Engines
from shared.health import Health
from shared.kinds.refs import ResourceKey
from shared.kinds.settings import ArgoSettings

Obj = dict[str, Any]
KEY = "resource.customizations.health.example.org_Thing"


class Counted:
    """The real engines, and how often they were asked for."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self.calls = 0

    async def __call__(self) -> Engines:
        self.calls += 1
        return self.engines


def live(version: int = 1, *, api: str = "example.org/v1", kind: str = "Thing", **fields: Any) -> Live:
    metadata = {"name": "a", "uid": "u", "resourceVersion": str(version), **fields.pop("metadata", {})}
    raw = orjson.dumps({"apiVersion": api, "kind": kind, "metadata": metadata, **fields})
    key = ResourceKey(api.rpartition("/")[0], kind, "", "a")
    return Live(key, api, "u", version, "", owned=False, deleting=False, raw=raw)


def assessor(engines: Counted, **data: str) -> Assessor:
    settings = ArgoSettings.from_configmap(data)
    return Assessor(lambda: settings, engines)


@pytest.mark.parametrize(
    ("script", "health"),
    [
        ("return {status = 'Degraded', message = obj.status.why}", Health("Degraded", "because")),
        ("return {status = 'Healthy'}", Health("Healthy", "")),
        ("return nil", None),
        ("", None),
        ("return {status = 'Splendid'}", Health("Unknown", "Lua returned an invalid health status")),
        ("return 'Healthy'", Health("Unknown", "the health script returned no table with status and message")),
    ],
)
async def test_what_a_script_answers_is_the_health(engines: Engines, script: str, health: Health | None) -> None:
    judge = assessor(Counted(engines), **{KEY: script})
    assert await judge(live(status={"why": "because"})) == health


@pytest.mark.parametrize(("script", "words"), [("return 1 +", "syntax error"), ("while true do end", "longer than 1s")])
async def test_a_script_that_fails_says_so(engines: Engines, script: str, words: str) -> None:
    found = await assessor(Counted(engines), **{KEY: script})(live())
    assert found is not None
    assert found.status == "Unknown"
    assert words in found.message


async def test_each_state_is_judged_once_whoever_asks_and_however_often(engines: Engines) -> None:
    counted = Counted(engines)
    judge = assessor(counted, **{KEY: "return {status = obj.status.phase}"})
    first = live(1, status={"phase": "Progressing"})
    assert set(await asyncio.gather(*(judge(first) for _ in range(5)))) == {Health("Progressing", "")}
    stamped = live(2, status={"phase": "Progressing"}, metadata={"managedFields": [{"manager": "other"}]})
    assert await judge(stamped) == Health("Progressing", "")
    assert counted.calls == 1
    assert await judge(live(3, status={"phase": "Healthy"})) == Health("Healthy", "")
    assert counted.calls == 2


async def test_kinds_without_a_script_cost_no_call_and_deletion_goes_before_all(engines: Engines) -> None:
    counted = Counted(engines)
    judge = assessor(counted, **{KEY: "return {status = 'Healthy'}"})
    assert await judge(live(api="v1", kind="ConfigMap")) is None
    assert await judge(live(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})) == Health(
        "Progressing", "Pending deletion"
    )
    assert counted.calls == 0


async def test_an_exact_name_goes_before_a_pattern_and_the_old_block_counts_too(engines: Engines) -> None:
    block = """
example.org/Thing:
  health.lua: return {status = "Degraded"}
"example.*/*":
  health.lua: return {status = string.lower("H") == "h" and "Healthy" or "Degraded"}
  health.lua.useOpenLibs: true
"""
    judge = assessor(Counted(engines), **{"resource.customizations": block})
    assert await judge(live()) == Health("Degraded", "")
    assert await judge(live(kind="Other")) == Health("Healthy", "")


async def test_scripts_have_string_and_math_only_where_the_switch_is_on(engines: Engines) -> None:
    script = {KEY: "return {status = math.max(1, 2) == 2 and 'Healthy'}"}
    closed = await assessor(Counted(engines), **script)(live())
    assert closed is not None
    assert closed.status == "Unknown"
    switched = {**script, "resource.customizations.useOpenLibs.example.org_Thing": "true"}
    assert await assessor(Counted(engines), **switched)(live()) == Health("Healthy", "")
