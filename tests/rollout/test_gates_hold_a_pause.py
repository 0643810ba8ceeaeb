"""Gates: a pause goes on when a person approves, a window opens, a webhook lets pass; each alone and together.

The pauses of Argo Rollouts without gates are in test_a_canary_goes_step_by_step.py.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
import yaml
from aiohttp import web

from services.cli.errors import CliError
from services.cli.rollout import control, view
from services.rollout_manager.analysis.nodata import ON_NO_DATA, read
from services.rollout_manager.analysis.providers.web_access import Response
from services.rollout_manager.gates import APPROVALS, GATES, Answer, Facts, Said
from services.rollout_manager.gates.webhooks import meaning
from services.rollout_manager.gates.written import gates_of
from services.rollout_manager.validate import problems
from shared.clock import rfc3339
from shared.kinds.appproject import SyncWindow
from shared.kinds.rollout import Rollout
from shared.kinds.windows import Span, Timed
from tests.parts.answering import answering
from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj, blue_green, canary, rollout
from tests.rollout.test_commands_move_a_rollout import tiphys
from tests.rollout.world import World

APPROVAL: Obj = {"step": 1, "approval": {}}
WINDOW: Obj = {"step": 1, "window": {"schedule": "0 9 * * *", "duration": "8h"}}
WEBHOOK: Obj = {"step": 1, "webhook": {"url": "https://user:pw@qa.example.org/ok?token=x"}}


def gated(*gates: Obj) -> dict[str, str]:
    return {GATES: yaml.safe_dump(list(gates))}


def waiting(*gates: Obj, pause: Obj | None = None, strategy: Obj | None = None) -> World:
    """A Rollout that has come to its gate."""
    world = World.of(strategy or canary({"setWeight": 50}, {"pause": pause or {}}, {"setWeight": 80}))
    world.rollout["metadata"]["annotations"] = gated(*gates)
    world.settle()
    world.push("v2")
    world.settle()
    return world


def gate_pause(world: World) -> str:
    [one] = [one for one in world.status["pauseConditions"] if one["reason"] == "GatePause"]
    return str(one["startTime"])


def approve(world: World, who: str = "ann") -> None:
    made = control.approve(
        {**world.rollout, "metadata": {**world.rollout["metadata"], "resourceVersion": "1"}}, who, "ok", world.now
    )
    assert made.spec is not None
    world.rollout["metadata"]["annotations"] |= made.spec["metadata"]["annotations"]


def answered(world: World, said: Said, message: str = "", url: str = WEBHOOK["webhook"]["url"]) -> None:
    pause = f"v2 {gate_pause(world)} {url}"
    world.gates = Facts(answers={0: Answer(said, message, world.now, pause)})


def gated_condition(world: World) -> tuple[str, str]:
    return next((one["status"], one["message"]) for one in world.status["conditions"] if one["type"] == "Gated")


def test_a_person_approves_with_a_name_and_a_reason() -> None:
    world = waiting(APPROVAL)
    assert (world.phase, world.status["message"]) == ("Paused", "GatePause: approval (tiphys rollout approve)")
    assert view.gates(world.rollout) == ["approval (tiphys rollout approve)"]
    approve(world)
    decision = world.step()
    assert "Rollout is resumed: approved by ann: ok" in [say.message for say in decision.says]
    world.settle()
    assert (world.phase, gated_condition(world)) == ("Healthy", ("False", ""))
    assert view.approvals(world.rollout) == [f"1 by ann at {rfc3339(world.now)}: ok"]


def test_an_approval_is_for_one_pause_of_one_version() -> None:
    world = waiting(APPROVAL)
    approve(world)
    world.push("v3")
    world.pass_time(1)
    world.settle()
    assert world.phase == "Paused"
    approve(world)
    world.patch_status({"abort": True})
    world.settle()
    world.pass_time(1)
    world.patch_status({"abort": False, "currentStepIndex": 0})
    world.settle()
    assert world.phase == "Paused"


@pytest.mark.parametrize(
    "approvals", ["", "{", "[1]", "{}", '[{"hash": "v2", "step": 1}]', '[{"hash": "v2", "step": 0}]']
)
def test_what_is_no_approval_approves_nothing(approvals: str) -> None:
    world = waiting(APPROVAL)
    world.rollout["metadata"]["annotations"][APPROVALS] = approvals
    world.settle()
    assert world.phase == "Paused"


def test_promote_does_not_open_a_gate_and_skip_and_full_go_past_it() -> None:
    world = waiting(APPROVAL)
    with pytest.raises(CliError, match="gates are not open"):
        control.promote(world.rollout, full=False)
    world.promote()
    world.settle()
    assert world.phase == "Paused"
    full = waiting(APPROVAL)
    full.patch_status({"promoteFull": True})
    full.settle()
    assert full.phase == "Healthy"
    patches = control.skip(world.rollout)
    world.patch_status(patches.status or {})
    world.settle()
    assert world.phase == "Healthy"


def test_the_time_of_a_pause_comes_before_its_gates() -> None:
    world = waiting(APPROVAL, pause={"duration": 60})
    assert world.status["message"] == "CanaryPauseStep"
    with pytest.raises(CliError, match="does not wait for an approval"):
        approve(world)
    world.pass_time(61)
    world.settle()
    assert world.status["message"].startswith("GatePause")
    approve(world)
    world.settle()
    assert world.phase == "Healthy"


def test_a_window_opens_by_itself() -> None:
    world = waiting(WINDOW)
    opens = world.now + timedelta(hours=1)
    spans = (Span(opens, opens + timedelta(hours=8)),)
    world.gates = Facts(times={0: Timed(SyncWindow(), spans)})
    decision = world.step()
    assert decision.again == 3600
    assert world.status["message"].endswith(f"window '0 9 * * *' for 8h opens at {rfc3339(opens)}")
    world.pass_time(3600)
    world.settle()
    assert world.phase == "Healthy"


def test_a_window_that_can_not_be_read_stays_shut_and_says_so() -> None:
    world = waiting(WINDOW)
    world.gates = Facts(times={0: Timed(SyncWindow(), problem="no cron")})
    world.settle()
    assert world.status["message"].endswith("can't be read: no cron")


def test_a_webhook_is_asked_again_until_it_lets_pass() -> None:
    world = waiting(WEBHOOK)
    decision = world.step()
    [question] = decision.ask
    assert (question.body["rollout"], question.body["hash"], question.body["step"]) == ("web", "v2", 1)
    assert world.status["message"] == "GatePause: webhook https://qa.example.org/ok: no answer yet"
    for said, words in ((Said.SILENT, "did not answer: 502"), (Said.REFUSED, "refused: 502")):
        answered(world, said, "502")
        decision = world.step()
        assert (decision.ask, decision.again) == ((), 30)
        assert gated_condition(world) == ("True", f"webhook https://qa.example.org/ok {words}")
        world.pass_time(30)
        assert len(world.step().ask) == 1
        assert world.phase == "Paused"
    answered(world, Said.OPEN)
    world.settle()
    assert world.phase == "Healthy"


def test_what_another_address_has_said_opens_nothing() -> None:
    world = waiting(WEBHOOK)
    answered(world, Said.OPEN, url="https://elsewhere.example.org/")
    world.settle()
    assert (world.phase, len(world.step().ask)) == ("Paused", 1)


def test_only_a_refusal_aborts_and_only_where_the_gate_says_so() -> None:
    world = waiting({"step": 1, "webhook": {**WEBHOOK["webhook"], "onRefusal": "abort"}})
    answered(world, Said.SILENT, "no answer in time")
    world.settle()
    assert world.phase == "Paused"
    world.gates = Facts(answers={0: Answer(Said.REFUSED, "of another pause", world.now, "v1 then")})
    world.settle()
    assert world.phase == "Paused"
    answered(world, Said.REFUSED, "errors in the shop")
    world.settle()
    assert world.phase == "Degraded"
    assert world.status["message"].endswith("webhook https://qa.example.org/ok refused: errors in the shop")


def test_all_gates_of_a_pause_have_to_be_open_at_once() -> None:
    world = waiting(WEBHOOK, APPROVAL)
    approve(world)
    answered(world, Said.REFUSED)
    world.settle()
    assert world.phase == "Paused"
    answered(world, Said.OPEN)
    world.settle()
    assert world.phase == "Healthy"


@pytest.mark.parametrize("fields", [{}, {"autoPromotionEnabled": False}])
def test_gates_before_the_promotion_of_blue_green(fields: Obj) -> None:
    world = waiting({"step": "promotion", "approval": None}, strategy=blue_green(**fields))
    assert (world.phase, world.services["active"].hash) == ("Paused", "v1")
    world.promote()
    world.settle()
    assert (world.phase, world.services["active"].hash) == ("Paused", "v1")
    approve(world)
    world.settle()
    assert (world.phase, world.services["active"].hash) == ("Healthy", "v2")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{", "metadata.annotations"),
        ("step: 1", "is no list of gates"),
        ("[1]", "[0].is no gate"),
        ("[{step: 1}]", "a gate is exactly one of approval, window, webhook"),
        ("[{step: 1, approval: {}, window: {schedule: '@daily', duration: 1h}}]", "exactly one of"),
        ("[{approval: {}}]", "[0].step"),
        ("[{step: 0, approval: {}}]", "[0].step: 0 is no pause of this Rollout; there is 1"),
        ("[{step: promotion, approval: {}}]", "'promotion' is no pause"),
        ("[{step: 1, aproval: {}}]", "aproval: nobody knows this field"),
        ("[{step: 1, webhook: {url: 'ftp://x'}}]", "webhook.url: must begin with"),
        ("[{step: 1, webhook: {url: 'http://[', interval: 0s, onRefusal: explode}}]", "onRefusal: is wait or abort"),
        ("[{step: 1, webhook: {url: 'http://x', interval: soon}}]", "webhook.interval"),
        ("[{step: 1, webhook: {url: 'http://x', tokenFrom: {name: a}}}]", "tokenFrom: needs the name"),
        ("[{step: 1, window: {schedule: '@every 1h', duration: 1h}}]", "window: a schedule needs fixed times"),
    ],
)
def test_a_gate_that_nobody_understands_is_an_error_of_the_rollout(written: str, words: str) -> None:
    obj = rollout(canary({"setWeight": 50}, {"pause": {}}))
    obj["metadata"]["annotations"] = {GATES: written}
    assert words in "\n".join(problems(Rollout.parse(obj)))


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (200, "", Said.OPEN),
        (204, "", Said.OPEN),
        (200, '{"allowed": false, "message": "later"}', Said.REFUSED),
        (200, '{"allowed": true}', Said.OPEN),
        (403, "no", Said.REFUSED),
        (302, "", Said.SILENT),
        (401, "", Said.SILENT),
        (404, "", Said.SILENT),
        (500, '{"allowed": true}', Said.SILENT),
    ],
)
def test_what_a_webhook_says(status: int, text: str, said: Said) -> None:
    assert meaning(Response(status, text))[0] is said


def test_the_examples_of_the_documentation_can_be_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rollouts.md").read_text()
    examples = [yaml.safe_load(part.partition("```")[0]) for part in page.split("```yaml\n")[1:]]
    found = [one["metadata"].get("annotations", {}) for one in examples]
    assert [len(gates_of(one)) for one in found if GATES in one] == [3]
    assert [len(read(one, ("error-rate", "latency"))) for one in found if ON_NO_DATA in one] == [2]


@dataclass
class Door:
    """A webhook that lets pass when it is told to."""

    url: str = ""
    status: int = 403
    asked: list[Obj] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        self.headers.append(request.headers.get("Authorization", ""))
        return web.json_response({"message": "the freeze is on"}, status=self.status)


@asynccontextmanager
async def door() -> AsyncIterator[Door]:
    made = Door()
    async with answering(made.handle) as url:
        made.url = f"{url}/gate"
        yield made


async def test_a_webhook_and_a_person_let_a_rollout_pass_whoever_manages_it_by_then(unmanaged: Managed) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "qa"}, "stringData": {"token": "hush"}}
    await unmanaged.apply(secret)
    async with door() as asked:
        webhook = {"url": asked.url, "interval": "1s", "tokenFrom": {"name": "qa", "key": "token"}}
        window = {"schedule": "* * * * *", "duration": "2m"}
        gates = gated({"step": 1, "webhook": webhook}, {"step": 1, "window": window}, {"step": 1, "approval": {}})
        wanted = rollout(canary({"setWeight": 50}, {"pause": {}}), replicas=2)
        await unmanaged.apply({**wanted, "metadata": {**wanted["metadata"], "annotations": gates}})
        async with unmanaged.run():
            await unmanaged.until_phase("Healthy")
            assert "does not wait for an approval" in await tiphys(unmanaged, "approve", "web", "--reason", "x", code=1)
            await unmanaged.push("v2")
            await unmanaged.until(lambda obj: "refused: the freeze is on; approval" in obj["status"]["message"])
        assert "the freeze is on" in await tiphys(unmanaged, "get", "web")
        assert "approved by" in await tiphys(unmanaged, "approve", "web", "--reason", "the graphs are flat")
        asked.status = 200
        async with unmanaged.run():
            done = await unmanaged.until_phase("Healthy")
        assert asked.headers[0] == "Bearer hush"
        assert asked.asked[0]["rollout"] == "web"
        [given] = orjson.loads(done["metadata"]["annotations"][APPROVALS])
        assert given["reason"] == "the graphs are flat"
