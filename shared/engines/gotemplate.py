"""Go templates with sprig, as Argo's parts use them; the environment and the network are out of reach.

Sets of functions: `sprig`, `applicationset` (adds normalize, slugify, toYaml, fromYaml, fromYamlArray), `notifications`
(adds the variables time, strings and repo, whose functions are called with `call`). Reasons: TemplateInvalid,
TemplateFailed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from shared.engines.client import Engines
from shared.engines.outcome import Outcome, outcome

Functions = Literal["sprig", "applicationset", "notifications"]
NONE: Mapping[str, Any] = {}


async def render(
    engines: Engines,
    templates: Mapping[str, str],
    data: Any,
    *,
    functions: Functions = "sprig",
    options: Sequence[str] = (),
    commits: Mapping[str, Any] = NONE,
) -> dict[str, str]:
    """The texts by their names. `options` such as `missingkey=error`; `repo.GetCommitMetadata` knows `commits`."""
    args = {
        "templates": dict(templates),
        "data": data,
        "functions": functions,
        "options": list(options),
        "commits": dict(commits),
    }
    found: dict[str, str] = await engines.call("gotemplate.render", args)
    return found


async def fill(
    engines: Engines,
    tree: Any,
    data: Sequence[Any],
    *,
    functions: Functions = "applicationset",
    options: Sequence[str] = (),
) -> list[Outcome]:
    """The tree once for each element of `data`, with every string (keys too) executed as a template."""
    args = {"tree": tree, "data": list(data), "functions": functions, "options": list(options)}
    return [outcome(each) for each in await engines.call("gotemplate.fill", args)]
