"""Label selectors: `matchLabels` and `matchExpressions`, as Kubernetes reads them.

In: a selector as it stands in an object, and labels. Out: yes or no. One that can't be read is `InvalidSelector`,
never "selects nothing". An empty selector selects everything.
"""

from collections.abc import Iterator, Mapping
from typing import Any


class InvalidSelector(ValueError):
    """A selector that means nothing."""


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether labels satisfy all of a selector. Raises InvalidSelector."""
    wanted = list(requirements(selector))
    return all(_holds(*requirement, labels) for requirement in wanted)


def requirements(selector: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Give each requirement as key, operator and values. Raises InvalidSelector."""
    unknown = sorted(set(selector) - {"matchLabels", "matchExpressions"})
    if unknown:
        raise InvalidSelector(f"a label selector has matchLabels and matchExpressions, not {', '.join(unknown)}")
    plain = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    if not isinstance(plain, Mapping) or not isinstance(expressions, list | tuple):
        raise InvalidSelector("matchLabels must be a map, matchExpressions a list")
    for key, value in plain.items():
        yield str(key), "In", (str(value),)
    for expression in expressions:
        yield _requirement(expression)


def _requirement(expression: Any) -> tuple[str, str, tuple[str, ...]]:
    if not isinstance(expression, Mapping) or not expression.get("key"):
        raise InvalidSelector("each of matchExpressions needs a key")
    key, operator = str(expression["key"]), str(expression.get("operator") or "")
    values = tuple(map(str, expression.get("values") or ()))
    if operator not in {"In", "NotIn", "Exists", "DoesNotExist"}:
        raise InvalidSelector(f"operator {operator!r} of {key} is none of In, NotIn, Exists, DoesNotExist")
    if bool(values) != (operator in {"In", "NotIn"}):
        raise InvalidSelector(f"{operator} of {key} {'needs values' if not values else 'takes no values'}")
    return key, operator, values


def _holds(key: str, operator: str, values: tuple[str, ...], labels: Mapping[str, str]) -> bool:
    match operator:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
