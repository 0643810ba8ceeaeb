"""What the Events of an AnalysisRun say, in Argo Rollouts' words: the end of each metric, and of the run. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from services.rollout_manager.analysis import Phase
from services.rollout_manager.keys import Obj

ENDS = frozenset({Phase.SUCCESSFUL, Phase.FAILED, Phase.ERROR, Phase.INCONCLUSIVE})


class Told(NamedTuple):
    reason: str
    message: str
    type: str


def told(before: Obj, after: Obj) -> Iterator[Told]:
    """What a change of the status has brought to an end."""
    known = {one.get("name"): one.get("phase") for one in before.get("metricResults") or ()}
    for one in after.get("metricResults") or ():
        if one.get("phase") in ENDS and known.get(one["name"]) != one["phase"]:
            yield _told("Metric", one["phase"], f"Metric '{one['name']}'")
    phase = after.get("phase")
    if phase in ENDS and before.get("phase") != phase:
        yield _told("AnalysisRun", phase, "Analysis")


def _told(what: str, phase: str, of: str) -> Told:
    bad = phase in {Phase.FAILED, Phase.ERROR}
    return Told(f"{what}{phase}", f"{of} Completed. Result: {phase}", "Warning" if bad else "Normal")
