"""An object says which Application it belongs to; a copied annotation says nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kinds.refs import GVK, GroupKind, OwnerReference, ResourceKey, owners
from shared.kinds.tracking import Tracking, TrackingId, app_of_instance, instance_name, owner_of, with_tracking

Obj = dict[str, Any]
BY_ANNOTATION, BY_LABEL, BY_BOTH = Tracking("annotation"), Tracking("label"), Tracking("annotation+label")
ID = "argocd.argoproj.io/tracking-id"
NAMES = st.from_regex(r"[a-z]([a-z0-9.-]{0,10}[a-z0-9])?", fullmatch=True)


def config(namespace: str = "web", **metadata: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace, **metadata}}


@pytest.mark.parametrize("tracking", [BY_ANNOTATION, BY_LABEL, BY_BOTH, Tracking(installation="west")])
def test_what_is_tracked_is_found_again(tracking: Tracking) -> None:
    obj = with_tracking(config(annotations={"mine": "1"}), tracking, "shop", "web")
    assert owner_of(ResourceKey.of(obj), obj["metadata"], tracking) == "shop"
    assert obj["metadata"]["annotations"]["mine"] == "1"


def test_the_annotation_names_the_object_itself() -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    tracked = with_tracking(deployment, BY_ANNOTATION, "team_shop", "prod")
    assert tracked["metadata"]["annotations"] == {ID: "team_shop:apps/Deployment:prod/web"}
    assert "labels" not in tracked["metadata"]
    assert deployment["metadata"] == {"name": "web"}


def test_a_copied_annotation_tracks_nothing() -> None:
    copied = config(annotations={ID: "shop:/ConfigMap:web/original"})
    assert owner_of(ResourceKey.of(copied), copied["metadata"], BY_ANNOTATION) is None


def test_another_installations_object_is_not_ours() -> None:
    theirs = with_tracking(config(), Tracking(installation="east"), "shop")
    assert owner_of(ResourceKey.of(theirs), theirs["metadata"], Tracking(installation="west")) is None
    assert owner_of(ResourceKey.of(theirs), theirs["metadata"], BY_ANNOTATION) is None


def test_a_cluster_scoped_object_carries_its_applications_namespace() -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}}
    tracked = with_tracking(role, BY_ANNOTATION, "shop", "web")
    assert tracked["metadata"]["annotations"][ID] == "shop:rbac.authorization.k8s.io/ClusterRole:web/r"
    assert owner_of(ResourceKey.of(tracked), tracked["metadata"], BY_ANNOTATION) == "shop"


def test_custom_resource_definitions_are_left_alone() -> None:
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a.b"}}
    assert with_tracking(crd, BY_BOTH, "shop") == crd


def test_a_label_that_is_only_for_people_is_cut_to_what_labels_may_be() -> None:
    tracked = with_tracking(config(), BY_BOTH, "a" * 70, "web")
    assert len(tracked["metadata"]["labels"]["app.kubernetes.io/instance"]) == 63
    assert owner_of(ResourceKey.of(tracked), tracked["metadata"], BY_BOTH) == "a" * 70


@given(NAMES, NAMES, st.sampled_from(["", "apps", "a.example.org"]), st.sampled_from(["", "ns"]))
def test_a_tracking_id_is_read_as_it_was_written(app: str, name: str, group: str, namespace: str) -> None:
    tracking = TrackingId(app, ResourceKey(group, "Thing", namespace, name))
    assert TrackingId.parse(str(tracking)) == tracking


@given(st.text(max_size=40))
def test_no_text_is_too_strange_for_a_tracking_id(text: str) -> None:
    found = TrackingId.parse(text)
    assert found is None or str(found) == text


@pytest.mark.parametrize(("namespace", "instance"), [("argocd", "shop"), ("team", "team_shop")])
def test_instance_names_lead_back_to_their_application(namespace: str, instance: str) -> None:
    assert instance_name("shop", namespace, "argocd") == instance
    assert app_of_instance(instance, "argocd") == (namespace, "shop")


def test_objects_are_named_by_group_kind_namespace_and_name() -> None:
    key = ResourceKey.of({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}})
    assert key == ("apps", "Deployment", "b", "a")
    assert key.group_kind == GroupKind("apps", "Deployment")
    assert GVK.parse("v1", "Pod") == ("", "v1", "Pod")
    assert GVK.parse("apps/v1", "Deployment").api_version == "apps/v1"
    assert ResourceKey.of({}) == ("", "", "", "")


def test_owners_are_read_from_references_that_are_whole() -> None:
    whole = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "1", "controller": True}
    pod = {"metadata": {"ownerReferences": [whole, {"kind": "Half"}]}}
    assert list(owners(pod)) == [OwnerReference("apps", "v1", "ReplicaSet", "r", "1", controller=True)]
