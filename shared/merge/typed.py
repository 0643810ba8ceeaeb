"""Values that are written in several ways and mean the same, made the same: quantities, durations, ports.

In: an object of a custom kind, and where Kubernetes' own types stand in it (argocd-cm `knownTypeFields`). Out: a copy
in which equal values look equal. The API server does this for its own kinds; of custom kinds it knows nothing.
"""

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from shared.merge.compare import QUANTITIES
from shared.merge.ignore import changed_at
from shared.merge.quantity import quantity

Obj = dict[str, Any]
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


def with_types(obj: Obj, fields: Iterable[tuple[str, str]]) -> Obj:
    """Give the object with what stands at each field (`spec.template.spec`) in one form, by its type's name."""
    for path, kind in fields:
        name = kind.rpartition("/")[2]
        obj = changed_at(obj, tuple(part for part in path.split(".") if part), _FORMS.get(name, _quantities_inside))
    return obj


def _quantity(value: Any) -> Any:
    found = quantity(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    return value if found is None else str(found)


def _duration(value: Any) -> Any:
    text = str(value)
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.removeprefix("-"):
        return value
    return str(sum(Fraction(number) * _UNITS[unit] for number, unit in parts) * (-1 if text.startswith("-") else 1))


def _int_or_string(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


def _quantities_inside(value: Any) -> Any:
    """A whole structure, such as a PodSpec: its quantities stand below known names."""
    if isinstance(value, dict):
        return {
            key: _all_quantities(item) if key in QUANTITIES else _quantities_inside(item) for key, item in value.items()
        }
    return [_quantities_inside(item) for item in value] if isinstance(value, list) else value


def _all_quantities(value: Any) -> Any:
    return {key: _quantity(item) for key, item in value.items()} if isinstance(value, dict) else _quantity(value)


_FORMS: dict[str, Callable[[Any], Any]] = {
    "Quantity": _quantity,
    "ResourceList": _all_quantities,
    "Duration": _duration,
    "IntOrString": _int_or_string,
}
