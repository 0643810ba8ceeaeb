"""JSON values compared, patched, digested and masked. Knows what Kubernetes does to objects, but no kind of ours.

In: plain dicts and lists. Out: new values or verdicts; what is given is never changed.
"""

from shared.merge.compare import contains, strip_volatile
from shared.merge.digest import canonical, digest
from shared.merge.ignore import (
    Path,
    jq_path,
    managed_by,
    pointer_path,
    with_live,
    without,
    without_ignored,
    without_managed,
    without_places,
)
from shared.merge.managed import only_managed, owned_fields, owns_more, together
from shared.merge.masking import hide_values, is_secret, mask_secrets
from shared.merge.patch import PatchError, json_merge_patch, json_patch, merge_patch_between
from shared.merge.quantity import quantity
from shared.merge.takeover import left_behind, taken_over
from shared.merge.typed import with_types
from shared.merge.undeclared import without_undeclared

__all__ = [
    "PatchError",
    "Path",
    "canonical",
    "contains",
    "digest",
    "hide_values",
    "is_secret",
    "jq_path",
    "json_merge_patch",
    "json_patch",
    "left_behind",
    "managed_by",
    "mask_secrets",
    "merge_patch_between",
    "only_managed",
    "owned_fields",
    "owns_more",
    "pointer_path",
    "quantity",
    "strip_volatile",
    "taken_over",
    "together",
    "with_live",
    "with_types",
    "without",
    "without_ignored",
    "without_managed",
    "without_places",
    "without_undeclared",
]
