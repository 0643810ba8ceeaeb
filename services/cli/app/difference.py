"""What a sync would change, as text. Pure: a live object and what it would become in, a unified diff out.

Both sides lose what only the API server writes; a Secret's values become `++++++++`, four more for each distinct value
of a field, so that a change shows and its content does not.
"""

import base64
import difflib
from typing import Any

from services.cli.app.view import at
from shared import yamlio
from shared.merge import is_secret, mask_secrets

Obj = dict[str, Any]

_VOLATILE = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink")
_OURS = ("argocd.argoproj.io/tracking-id", "argocd.argoproj.io/installation-id")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def title(obj: Obj) -> str:
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    namespace = at(obj, "metadata", "namespace")
    name = at(obj, "metadata", "name")
    return f"{group + '/' if group else ''}{obj.get('kind')} {namespace + '/' if namespace else ''}{name}"


def difference(live: Obj | None, target: Obj | None) -> list[str]:
    """The lines of a unified diff; empty: nothing differs."""
    before, after = _masked(cleaned(live), cleaned(target))
    name = title(live or target or {})
    return list(
        difflib.unified_diff(_lines(before), _lines(after), f"live     {name}", f"desired  {name}", lineterm="", n=3)
    )


def _lines(obj: Obj | None) -> list[str]:
    return yamlio.dump(obj).splitlines() if obj else []


def cleaned(obj: Obj | None) -> Obj | None:
    if obj is None:
        return None
    metadata = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in _VOLATILE}
    annotations = {
        k: v for k, v in (metadata.pop("annotations", None) or {}).items() if k not in (*_OURS, _LAST_APPLIED)
    }
    if annotations:
        metadata["annotations"] = annotations
    return {**{k: v for k, v in obj.items() if k != "status"}, "metadata": metadata}


def _masked(live: Obj | None, target: Obj | None) -> list[Obj | None]:
    return mask_secrets([folded(live), folded(target)])


def masked(obj: Obj) -> Obj:
    """One object for printing: a Secret's values hidden, also those in the copy that `kubectl apply` keeps."""
    (hidden,) = mask_secrets([obj])
    return hidden or {}


def folded(obj: Obj | None) -> Obj | None:
    """A Secret as the API server keeps it: what is written plainly in `stringData` is `data`."""
    if obj is None or not is_secret(obj) or not isinstance(obj.get("stringData"), dict):
        return obj
    plain = {key: base64.b64encode(str(value).encode()).decode() for key, value in obj["stringData"].items()}
    rest = {key: value for key, value in obj.items() if key != "stringData"}
    return {**rest, "data": {**(obj.get("data") or {}), **plain}}
