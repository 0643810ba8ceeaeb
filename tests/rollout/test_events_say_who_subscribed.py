"""Argo Rollouts' notification annotations, read into the events that its triggers would hear."""

import pytest

from services.rollout_manager.subscriptions import subscribers, trigger_of

SUBSCRIBE = "notifications.argoproj.io/subscribe."


@pytest.mark.parametrize(
    ("reason", "trigger"),
    [
        ("RolloutCompleted", "on-rollout-completed"),
        ("RolloutStepCompleted", "on-rollout-step-completed"),
        ("RolloutUpdated", "on-rollout-updated"),
        ("RolloutPaused", "on-rollout-paused"),
        ("RolloutAborted", "on-rollout-aborted"),
        ("ScalingReplicaSet", "on-scaling-replica-set"),
        ("AnalysisRunError", "on-analysis-run-error"),
        ("AnalysisRunFailed", "on-analysis-run-failed"),
        ("AnalysisRunRunning", "on-analysis-run-running"),
    ],
)
def test_triggers_are_named_after_reasons(reason: str, trigger: str) -> None:
    assert trigger_of(reason) == trigger


def test_only_the_trigger_s_own_subscribers_are_named() -> None:
    annotations = {
        f"{SUBSCRIBE}on-rollout-completed.slack": "channel-1; channel-2;",
        f"{SUBSCRIBE}on-rollout-completed.grafana": "",
        f"{SUBSCRIBE}on-rollout-completed.": "no service",
        f"{SUBSCRIBE}on-rollout-completed-late.slack": "another trigger's",
        f"{SUBSCRIBE}on-rollout-paused.slack": "channel-3",
        "example.com/on-rollout-completed.slack": "nobody",
    }
    assert subscribers(annotations, "RolloutCompleted") == {"slack": ("channel-1", "channel-2"), "grafana": ()}
    assert subscribers({}, "RolloutCompleted") == {}
