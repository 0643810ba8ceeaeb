"""What `ignoreDifferences` and argocd-cm leave out of a diff.

In: the Application, Argo CD's settings, a live object and what it would become. Out: both without what is ignored. The
engines are started only for jq expressions that are more than a path.
"""

from typing import Any

from services.cli.errors import CliError
from shared.engines import query
from shared.engines.errors import EngineError
from shared.kinds.customizations import Ignored
from shared.kinds.ignoring import NOTHING, aggregated, fields_of, ignored_for, together
from shared.kinds.refs import ResourceKey
from shared.kinds.settings import ArgoSettings
from shared.merge import Path, jq_path, without_ignored
from shared.run.context import EnginesOnce

Obj = dict[str, Any]


class LeavingOut:
    """Made once for an Application."""

    def __init__(self, app: Obj, settings: ArgoSettings, engines: EnginesOnce) -> None:
        self._rules = (app.get("spec") or {}).get("ignoreDifferences") or ()
        self._settings = settings
        self._engines = engines

    async def from_both(self, live: Obj, other: Obj) -> tuple[Obj, Obj]:
        """Give both objects without what is ignored."""
        rules = ignored_for(ResourceKey.of(live), self._rules, self._settings)
        ignored = together([rules, aggregated(other, self._settings)])
        if ignored == NOTHING:
            return live, other
        here, there = await self._places(ignored, live, other)
        fields = fields_of(ignored)
        return without_ignored(live, live, fields, here), without_ignored(other, live, fields, there)

    async def _places(self, ignored: Ignored, *objects: Obj) -> list[list[Path]]:
        expressions = [text for text in ignored.jq_path_expressions if jq_path(text) is None]
        if not expressions:
            return [[] for _ in objects]
        items = [query.Places(expressions, obj) for obj in objects]
        found = await query.jq_paths(await self._engines.get(), items, seconds=self._settings.jq_seconds)
        places: list[list[Path]] = []
        for one in found:
            if isinstance(one, EngineError):
                raise CliError(f"ignoreDifferences: jq expression {one.message}")
            places.append([tuple(path) for path in one])
        return places
