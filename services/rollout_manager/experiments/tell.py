"""What the Events of an Experiment say, in Argo Rollouts' words: how it, its templates and its runs turned. Pure."""

from collections.abc import Iterator

from services.rollout_manager.analysis.tell import Told
from services.rollout_manager.keys import Obj

BAD = frozenset({"Failed", "Error", "Inconclusive"})


def told(before: Obj, after: Obj) -> Iterator[Told]:
    for what, field, phase in (("Template", "templateStatuses", "status"), ("AnalysisRun", "analysisRuns", "phase")):
        known = {one.get("name"): one.get(phase) for one in before.get(field) or ()}
        for one in after.get(field) or ():
            yield from _turned(what, known.get(one["name"]), one.get(phase), f" '{one['name']}'", one.get("message"))
    yield from _turned("Experiment", before.get("phase"), after.get("phase"))


def _turned(what: str, before: str | None, after: str | None, name: str = "", why: str | None = None) -> Iterator[Told]:
    if after and after != before:
        text = f"{what}{name} transitioned from {before or ''} -> {after}" + (f": {why}" if why else "")
        yield Told(f"{what}{after}", text, "Warning" if after in BAD else "Normal")
