"""Small expression languages: expr-lang (with the functions that each of Argo's parts adds) and govaluate.

Reasons: ExpressionInvalid (it can't be compiled), ExpressionFailed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from shared.engines.client import Engines
from shared.engines.outcome import Outcome, outcome, required

Functions = Literal["", "workflows", "events", "rollouts", "notifications"]
NONE: Mapping[str, Any] = {}


async def evaluate(
    engines: Engines,
    expression: str,
    env: Mapping[str, Any],
    *,
    functions: Functions = "",
    undefined: bool = False,
    commits: Mapping[str, Any] = NONE,
) -> Any:
    """The value of one expr-lang expression. `undefined`: unknown names are nil instead of an error."""
    args = _arguments([expression], env, functions, undefined, commits)
    return required((await engines.call("expr.evaluate", args))[0])


async def evaluate_all(
    engines: Engines,
    expressions: Sequence[str],
    env: Mapping[str, Any],
    *,
    functions: Functions = "",
    undefined: bool = False,
    commits: Mapping[str, Any] = NONE,
) -> list[Outcome]:
    """Many expressions over one environment: a value or an `EngineError` each."""
    args = _arguments(expressions, env, functions, undefined, commits)
    return [outcome(each) for each in await engines.call("expr.evaluate", args)]


async def govaluate(engines: Engines, expression: str, parameters: Mapping[str, Any] = NONE) -> Any:
    """The value of a govaluate expression; every number is a float, as there."""
    return await engines.call("govaluate.evaluate", {"expression": expression, "parameters": dict(parameters)})


def _arguments(
    expressions: Sequence[str],
    env: Mapping[str, Any],
    functions: Functions,
    undefined: bool,
    commits: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "expressions": list(expressions),
        "env": dict(env),
        "functions": functions,
        "undefined": undefined,
        "commits": dict(commits),
    }
