"""Is what is wanted already so? The local check that needs no call to the API server.

In: the desired object and the live one. Out: True only if applying would certainly leave every desired leaf as it is.
False means "not certain": defaulting, admission and normalised fields are for a dry run to judge.
"""

from collections.abc import Mapping
from typing import Any

from shared.merge.quantity import quantity

Obj = dict[str, Any]
VOLATILE = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
QUANTITIES = frozenset(
    ["limits", "requests", "hard", "capacity", "overhead", "default", "defaultRequest", "max", "min", "sizeLimit"]
)
# Where Kubernetes' own kinds drop a zero value, so that absent and zero are the same.
_EMPTY_IS_ABSENT = frozenset(
    ["labels", "annotations", "data", "resources", "limits", "requests", "securityContext", "affinity", "nodeSelector"]
)
_ZERO_IS_ABSENT: dict[str, str | bool] = {
    "value": "",
    **dict.fromkeys(("hostNetwork", "hostPID", "hostIPC", "readOnly", "stdin", "tty", "paused"), False),
}
_DOTTED_GROUPS = frozenset(
    f"{name}.k8s.io"
    for name in (
        *("admissionregistration", "apiextensions", "apiregistration", "certificates", "coordination", "discovery"),
        *("events", "flowcontrol.apiserver", "networking", "node", "rbac.authorization", "resource", "scheduling"),
        "storage",
    )
)


def is_built_in(api_version: Any) -> bool:
    """Tell Kubernetes' own groups from those of custom resources, which always have a dot."""
    group = str(api_version or "").rpartition("/")[0]
    return bool(api_version) and ("." not in group or group in _DOTTED_GROUPS)


def contains(desired: Any, live: Any) -> bool:
    """Tell whether every leaf of `desired` is the same in `live`. Lists must agree item by item, in length and order.

    A null is the same as nothing. In Kubernetes' own kinds so is an empty list, and an empty map where it means nothing
    (an empty `emptyDir` or `podSelector` does mean something); quantities are compared by value.
    """
    built_in = isinstance(desired, dict) and is_built_in(desired.get("apiVersion"))
    return _holds(desired, live, built_in=built_in, quantities=False)


def _holds(desired: Any, live: Any, *, built_in: bool, quantities: bool) -> bool:
    """`built_in`: of Kubernetes' own kinds. `quantities`: somewhere below a key that holds quantities."""
    if isinstance(desired, dict):
        return isinstance(live, dict) and _same_map(desired, live, built_in=built_in, quantities=quantities)
    if isinstance(desired, list):
        return isinstance(live, list) and _same_list(desired, live, built_in=built_in, quantities=quantities)
    if desired == live:
        return isinstance(desired, bool) is isinstance(live, bool)
    return quantities and _same_quantity(desired, live)


def _same_map(desired: Obj, live: Obj, *, built_in: bool, quantities: bool) -> bool:
    for key, value in desired.items():
        found = live.get(key)
        if found is None:
            if not _means_nothing(key, value, built_in=built_in):
                return False
        elif type(value) is str and value == found:
            continue  # most leaves end here
        elif not _holds(value, found, built_in=built_in, quantities=quantities or (built_in and key in QUANTITIES)):
            return False
    return True


def _same_list(desired: list[Any], live: list[Any], *, built_in: bool, quantities: bool) -> bool:
    if len(desired) != len(live):
        return False
    for one, other in zip(desired, live, strict=True):
        if not _holds(one, other, built_in=built_in, quantities=quantities):
            return False
    return True


def _means_nothing(key: str, value: Any, *, built_in: bool) -> bool:
    if value is None:
        return True
    if not built_in or value:
        return False
    if isinstance(value, dict | list):
        return isinstance(value, list) or key in _EMPTY_IS_ABSENT
    zero = _ZERO_IS_ABSENT.get(key)
    return value is zero if isinstance(value, bool) else value == zero and not isinstance(value, int)


def _same_quantity(desired: Any, live: Any) -> bool:
    if not isinstance(desired, str | int | float) or not isinstance(live, str | int | float):
        return False
    value = quantity(str(desired))
    return value is not None and value == quantity(str(live))


def strip_volatile(live: Mapping[str, Any]) -> Obj:
    """Give an object without its status and without what the API server stamps on every write."""
    kept = {key: value for key, value in live.items() if key != "status"}
    metadata = live.get("metadata")
    if isinstance(metadata, dict):
        kept["metadata"] = {key: value for key, value in metadata.items() if key not in VOLATILE}
    return kept
