"""The text of a scrape, by Argo Rollouts' names: each object's lines, kept until it changes."""

from collections.abc import Callable, Iterator

from services.rollout_manager.keys import Obj
from services.rollout_manager.measures import lines
from services.rollout_manager.measures.passes import Passes
from services.rollout_manager.objects import Watch
from services.rollout_manager.scope import ours
from shared.kube import Key, LiveObject
from shared.telemetry.metrics import Family

Lines = tuple[str, ...]


class Rendered:
    """The lines of a kind's objects; made again of those that changed since."""

    def __init__(self, watch: Watch, render: Callable[[Key, Obj], Lines], instance_id: str) -> None:
        self._watch = watch
        self._render = render
        self._instance_id = instance_id
        self._known: dict[Key, tuple[LiveObject, Lines]] = {}

    def current(self) -> list[Lines]:
        """Of all that exist and are ours."""
        self._known = {
            key: self._of(key, live)
            for key, live in self._watch.store.items()
            if ours(live.meta.labels, self._instance_id)
        }
        return [found for _, found in self._known.values()]

    def _of(self, key: Key, live: LiveObject) -> tuple[LiveObject, Lines]:
        known = self._known.get(key)
        return known if known and known[0] is live else (live, self._render(key, live.load()))


class Exposed:
    """The metrics of one rollout manager."""

    def __init__(self, rollouts: Watch, experiments: Watch, runs: Watch, instance_id: str) -> None:
        self.rollouts = Passes(rollouts, "rollout")
        self.experiments = Passes(experiments, "experiment")
        self.runs = Passes(runs, "analysis_run")
        self._objects = (
            (lines.ROLLOUT, Rendered(rollouts, lines.of_rollout, instance_id)),
            (lines.EXPERIMENT, Rendered(experiments, lines.of_experiment, instance_id)),
            (lines.RUN, Rendered(runs, lines.of_run, instance_id)),
        )

    def text(self) -> Iterator[str]:
        """What `/metrics` has of them."""
        for families, rendered in self._objects:
            yield from together(families, rendered.current())
        for passes in (self.rollouts, self.experiments, self.runs):
            yield from together(lines.of_passes(passes.name), passes.rendered())


def together(families: tuple[Family, ...], found: list[Lines]) -> Iterator[str]:
    """A family's samples have to follow each other."""
    for at, family in enumerate(families):
        yield family.header
        yield from (one[at] for one in found)
