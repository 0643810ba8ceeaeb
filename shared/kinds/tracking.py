"""Which Application does an object belong to? A label or an annotation on the object says it, as in Argo CD.

In: objects and their metadata. Out: objects with the tracking set, or the name of the Application that an object's
tracking gives. An annotation that was copied from another object (it names that other object) tracks nothing.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from shared.kinds.refs import Obj, ResourceKey

TRACKING_ID = "argocd.argoproj.io/tracking-id"
INSTALLATION_ID = "argocd.argoproj.io/installation-id"
INSTANCE_LABEL = "app.kubernetes.io/instance"
LONGEST_LABEL = 63

Method = Literal["annotation", "label", "annotation+label"]
_TRACKING_ID = re.compile(r"^(?P<app>[^:]+):(?P<group>[^/]*)/(?P<kind>[^:]+):(?P<namespace>[^/]*)/(?P<name>.+)$")


class Tracking(NamedTuple):
    """How objects are tracked (argocd-cm `application.resourceTrackingMethod` and its neighbours)."""

    method: Method = "annotation"
    label: str = INSTANCE_LABEL
    installation: str = ""


class TrackingId(NamedTuple):
    app: str
    key: ResourceKey

    def __str__(self) -> str:
        group, kind, namespace, name = self.key
        return f"{self.app}:{group}/{kind}:{namespace}/{name}"

    @classmethod
    def parse(cls, text: str) -> "TrackingId | None":
        """Read an annotation's value; None where it isn't one."""
        match = _TRACKING_ID.match(text)
        if match is None:
            return None
        return cls(match["app"], ResourceKey(match["group"], match["kind"], match["namespace"], match["name"]))


def with_tracking(obj: Obj, tracking: Tracking, instance: str, namespace: str = "") -> Obj:
    """Give the object with the tracking of `instance`. `namespace` is where it goes when it names none.

    CustomResourceDefinitions are tracked by annotation only where labels aren't asked for: Argo CD leaves them alone.
    """
    if obj.get("kind") == "CustomResourceDefinition":
        return obj
    metadata = dict(obj.get("metadata") or {})
    if tracking.method != "annotation":
        metadata["labels"] = {**(metadata.get("labels") or {}), tracking.label: _label_value(instance, tracking)}
    if tracking.method != "label":
        key = ResourceKey.of(obj)
        here = key if key.namespace or not namespace else key._replace(namespace=namespace)
        added = {TRACKING_ID: str(TrackingId(instance, here))}
        if tracking.installation:
            added[INSTALLATION_ID] = tracking.installation
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **added}
    return {**obj, "metadata": metadata}


def _label_value(instance: str, tracking: Tracking) -> str:
    """Where the annotation decides, the label is for people and may be cut."""
    return instance[:LONGEST_LABEL].rstrip("-_.") if tracking.method == "annotation+label" else instance


def owner_of(key: ResourceKey, metadata: Mapping[str, Any], tracking: Tracking) -> str | None:
    """Give the instance name of the Application that this object's tracking names; None when it names none."""
    if tracking.method == "label":
        return (metadata.get("labels") or {}).get(tracking.label) or None
    annotations = metadata.get("annotations") or {}
    found = TrackingId.parse(str(annotations.get(TRACKING_ID) or ""))
    if found is None or annotations.get(INSTALLATION_ID, "") != tracking.installation:
        return None
    return found.app if _same_object(found.key, key) else None


def _same_object(tracked: ResourceKey, key: ResourceKey) -> bool:
    """A cluster-scoped object may carry the namespace that its Application goes to."""
    return tracked == key or (not key.namespace and tracked._replace(namespace="") == key)


def instance_name(app_name: str, app_namespace: str, argo_namespace: str) -> str:
    """Give the name that tracking uses: `<name>` in Argo's namespace, `<namespace>_<name>` in others."""
    return app_name if app_namespace in {"", argo_namespace} else f"{app_namespace}_{app_name}"


def app_of_instance(instance: str, argo_namespace: str) -> tuple[str, str]:
    """Give namespace and name of the Application that an instance name means."""
    namespace, separator, name = instance.partition("_")
    return (namespace, name) if separator else (argo_namespace, instance)
