"""What of a run follows from its spec alone, kept while that stays as it is: to read it for each measurement anew costs
more than to measure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.rollout_manager.analysis import nodata
from services.rollout_manager.analysis.arguments import filled
from services.rollout_manager.analysis.metrics import Metric, read
from services.rollout_manager.analysis.named import chosen
from services.rollout_manager.analysis.secrets import Secrets
from services.rollout_manager.keys import Obj
from shared.engines.client import Engines
from shared.kinds.analysis import AnalysisRun
from shared.kinds.analysis import Metric as Written


@dataclass(frozen=True)
class Prepared:
    """`metrics` by name, arguments filled in; `dry` and `kept` as in decide.Seen; `secrets` are not to be shown."""

    spec: Obj
    annotations: Obj
    terminate: bool
    metrics: Mapping[str, Metric] = field(repr=False)
    dry: frozenset[str]
    kept: Mapping[str, int]
    secrets: list[str] = field(repr=False)

    @property
    def lasting(self) -> bool:
        """What is in a Secret may be another thing at the next measurement."""
        return not self.secrets

    def holds_for(self, obj: Obj) -> bool:
        return self.lasting and (self.spec, self.annotations) == what_counts(obj)


def what_counts(obj: Obj) -> tuple[Obj, Obj]:
    return obj.get("spec") or {}, obj["metadata"].get("annotations") or {}


async def prepare(obj: Obj, secrets: Secrets, engines: Engines) -> Prepared:
    """Raises InvalidObject, and InvalidAnalysis with all that is wrong with its metrics."""
    spec, annotations = what_counts(obj)
    run = AnalysisRun.parse({"metadata": obj["metadata"], "spec": spec})
    values, secret = await secrets.arguments(run.metadata.namespace, run.spec.args)
    metrics = read([Written.parse(filled(one.to_wire(), values)) for one in run.spec.metrics])
    names = [one.name for one in metrics]
    verdicts = nodata.read(run.metadata.annotations, names)
    dry = await chosen(engines, [one.metric_name for one in run.spec.dry_run], names, "dryRun")
    retention = run.spec.measurement_retention
    kept = await chosen(engines, [one.metric_name for one in retention], names, "measurementRetention")
    return Prepared(
        spec=spec,
        annotations=annotations,
        terminate=run.spec.terminate,
        metrics={one.name: replace(one, no_data=verdicts.get(one.name)) for one in metrics},
        dry=frozenset(dry),
        kept={name: retention[index].limit for name, index in kept.items()},
        secrets=secret,
    )
