"""`tiphys rollout ...` on a live Rollout, and what each command writes: the same patches as the kubectl plugin's."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import yaml

from services.cli.errors import CliError
from services.cli.rollout import control, view
from services.cli.rollout.lint import template_errors
from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj, canary, rollout

STEPS: tuple[Obj, ...] = ({"setWeight": 50}, {"pause": {}}, {"setWeight": 80}, {"pause": {}})


def at(index: int, **status: object) -> Obj:
    known = {"currentStepIndex": index, "currentPodHash": "v2", "stableRS": "v1", **status}
    return {**rollout(canary(*STEPS)), "status": known}


def test_each_command_writes_what_the_kubectl_plugin_writes() -> None:
    paused = at(1, pauseConditions=[{"reason": "CanaryPauseStep"}], controllerPause=True)
    assert control.promote(paused, full=False) == (None, {"pauseConditions": None})
    assert control.promote(at(2), full=False) == (None, {"currentStepIndex": 3})
    assert control.promote(at(2), full=True) == (None, {"promoteFull": True})
    judged = at(2, pauseConditions=[{"reason": "InconclusiveAnalysisRun"}])
    assert control.promote(judged, full=False).status == {
        "pauseConditions": None,
        "controllerPause": False,
        "currentStepIndex": 3,
    }
    held = at(4)
    held["spec"]["paused"] = True
    assert control.promote(held, full=False) == ({"spec": {"paused": False}}, None)
    assert control.abort(at(1)) == (None, {"abort": True})
    assert control.retry(at(0, abort=True)) == (None, {"abort": False, "currentStepIndex": 0})
    assert control.restart(at(1), datetime(2026, 1, 1, tzinfo=UTC)).spec == {
        "spec": {"restartAt": "2026-01-01T00:00:00Z"}
    }
    assert control.set_image(at(1), {"*": "v3"}).spec == {
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "v3"}]}}}
    }


UNSEEN = "waiting for rollout spec update to be observed"
WORKLOAD = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}


@pytest.mark.parametrize(
    ("changes", "status", "shown"),
    [
        ({}, {}, ("Paused", "CanaryPauseStep")),
        ({}, {"observedGeneration": "0"}, ("Progressing", UNSEEN)),
        ({}, {"pauseConditions": None}, ("Progressing", "waiting for rollout to unpause")),
        (WORKLOAD, {"workloadObservedGeneration": "6"}, ("Progressing", f"{UNSEEN} for the reference workload")),
        (WORKLOAD, {"workloadObservedGeneration": "7"}, ("Paused", "CanaryPauseStep")),
    ],
)
def test_what_the_controller_has_not_seen_yet_is_shown_as_such(
    changes: Obj, status: Obj, shown: tuple[str, str]
) -> None:
    known = {"observedGeneration": "1", "phase": "Paused", "message": "CanaryPauseStep", "controllerPause": True}
    found = at(1, **{**known, "pauseConditions": [{"reason": "CanaryPauseStep"}], **status})
    found["metadata"]["annotations"] = {"rollout.argoproj.io/workload-generation": "7"}
    found["spec"] |= {"workloadRef": changes} if changes else {}
    assert (view.phase(found), view.message(found)) == shown


METRIC: Obj = {"name": "a", "provider": {"web": {"url": "http://x"}}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"metrics": [METRIC]}, []),
        ({}, ["no metrics specified"]),
        ({"templates": [{"templateName": "other"}]}, []),
        ({"metrics": [{**METRIC, "count": "{{args.n}}"}]}, []),
        (
            {"metrics": [METRIC, {**METRIC, "count": 2}]},
            ["metrics[1]: duplicate name 'a'", "metrics[1]: interval must be specified when count > 1"],
        ),
    ],
)
def test_lint_finds_what_is_wrong_with_a_template_by_itself(spec: Obj, expected: list[str]) -> None:
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "t"}}
    assert template_errors({**template, "spec": spec}) == expected


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: control.promote(at(4), full=False), "nothing to promote"),
        (lambda: control.promote(at(4, stableRS="v2"), full=True), "fully promoted already"),
        (lambda: control.skip(at(4)), "no step to skip"),
        (lambda: control.abort(at(4, stableRS="v2")), "no update to abort"),
        (lambda: control.retry(at(1)), "not aborted"),
        (lambda: control.set_image(at(1), {"x": "y"}), "no container x"),
        (lambda: control.undo(at(1), [], None), "no revision before"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(call: "object", words: str) -> None:
    assert callable(call)
    with pytest.raises(CliError, match=words):
        call()


async def tiphys(managed: Managed, *words: str, code: int = 0) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.cli",
        "rollout",
        *words,
        "--kubeconfig",
        str(managed.kubeconfig),
        "-n",
        managed.namespace,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TIPHYS_DATA": str(managed.data)},
    )
    out, err = await process.communicate()
    assert process.returncode == code, f"{words}: {out.decode()}{err.decode()}"
    return out.decode() + err.decode()


async def test_a_person_takes_a_rollout_through_its_steps(managed: Managed) -> None:
    await managed.apply(rollout(canary(*STEPS), replicas=2))
    assert "Healthy" in await tiphys(managed, "status", "web", "--timeout", "60")
    await tiphys(managed, "set-image", "web", "c=v2")
    await managed.until_phase("Paused", currentStepIndex=1)
    shown = await tiphys(managed, "get", "web")
    assert "CanaryPauseStep" in shown
    assert [role for row in shown.splitlines() for role in row.split() if role in {"stable", "canary"}][::-1] == [
        "stable",
        "canary",
    ]
    await tiphys(managed, "promote", "web")
    await managed.until_phase("Paused", currentStepIndex=3)
    await tiphys(managed, "abort", "web")
    await managed.until_phase("Degraded")
    assert "RolloutAborted" in await tiphys(managed, "status", "web", "--no-watch", code=1)
    await tiphys(managed, "retry", "web")
    await managed.until_phase("Paused", currentStepIndex=1)
    await tiphys(managed, "skip", "web")
    await managed.until_phase("Paused", currentStepIndex=3)
    await tiphys(managed, "promote", "web", "--full")
    await managed.until_phase("Healthy")
    [row] = [line.split() for line in (await tiphys(managed, "list")).splitlines()[1:]]
    assert row == [managed.namespace, "web", "Canary", "Healthy", "4/4", "-", "2/2", "2", "2", "2"]
    await tiphys(managed, "undo", "web")
    await managed.until_phase("Paused", currentStepIndex=1)
    assert (await managed.get("Rollout", "web"))["spec"]["template"]["spec"]["containers"][0]["image"] == "v1"
    await tiphys(managed, "pause", "web")
    await managed.until_phase("Paused", message="manually paused")
    await tiphys(managed, "resume", "web")
    await managed.until_phase("Paused", message="CanaryPauseStep")


async def test_lint_finds_every_error_and_needs_no_cluster(unmanaged: Managed, tmp_path: Path) -> None:
    wrong = rollout(canary({"setWeight": 101}, {"pause": {"duration": "x"}}, maxSurge="many"), replicas=-1)
    wrong["spec"]["template"]["spec"] |= {"restartPolicy": "Never", "containers": []}
    wrong["spec"]["fieldOfTomorrow"] = 1
    gates = [{"step": 0, "approval": {}}, {"step": 1, "window": {"schedule": "99 * * * *", "duration": "1h"}}]
    wrong["metadata"]["annotations"] = {"tiphys.dev/gates": yaml.safe_dump(gates), "tiphys.dev/gate": "[]", "a/b": "c"}
    late = {**wrong, "metadata": {**wrong["metadata"], "annotations": {"tiphys.dev/gates": yaml.safe_dump(gates[1:])}}}
    template = {"kind": "AnalysisTemplate", "metadata": {"name": "t", "annotations": {"tiphys.dev/on-no-data": "Fine"}}}
    template["spec"] = {"metrics": [{"name": "a", "provider": {"web": {}}}]}
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(yaml.safe_dump(rollout(canary({"setWeight": 10}))))
    bad.write_text(yaml.safe_dump_all([wrong, late, template]))
    assert "ok" in await tiphys(unmanaged, "lint", str(good))
    found = orjson.loads(await tiphys(unmanaged, "lint", str(bad), "-o", "json", code=1))
    errors = "\n".join(found[0]["errors"])
    for words in (
        "spec.replicas",
        "steps[0].setWeight",
        "steps[1].pause.duration",
        "maxSurge",
        "containers",
        "restartPolicy",
        'metadata.annotations["tiphys.dev/gates"][0].step: 0 is no pause',
    ):
        assert words in errors
    assert any('gates"][0].window: ' in error for error in found[1]["errors"])
    assert (found[2]["kind"], len(found[2]["errors"])) == ("AnalysisTemplate", 1)
    assert found[0]["unknownFields"] == ["spec.fieldOfTomorrow", 'metadata.annotations["tiphys.dev/gate"]']
