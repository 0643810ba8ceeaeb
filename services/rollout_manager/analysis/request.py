"""From a Rollout's analysis to the AnalysisRun object that carries it. Pure.

`needed` is asked again with what was found until it asks for nothing more: nested templates. `build_run` resolves the
arguments against the live Rollout, flattens the templates and gives the object; the secrets of its arguments stay
references.
"""

from collections.abc import Mapping

from services.rollout_manager.analysis import InvalidAnalysis, RunRequest
from services.rollout_manager.keys import Obj, Ref
from shared.kinds.strategy import RolloutAnalysis

Templates = Mapping[Ref, Obj | None]


def needed(analysis: RolloutAnalysis, namespace: str, found: Templates) -> tuple[Ref, ...]:
    """The templates to read that are not in `found` yet."""
    refs = tuple(
        Ref("argoproj.io", "ClusterAnalysisTemplate", "", one.template_name)
        if one.cluster_scope
        else Ref("argoproj.io", "AnalysisTemplate", namespace, one.template_name)
        for one in analysis.templates
    )
    return tuple(ref for ref in refs if ref not in found)


def build_run(rollout: Obj, request: RunRequest, templates: Templates) -> Obj:  # noqa: ARG001
    """The AnalysisRun to create. Raises InvalidAnalysis."""
    raise InvalidAnalysis("analysis is not built yet")
