"""Which rules of `ignoreDifferences` mean an object."""

from typing import Any

import pytest

from shared.kinds.customizations import Ignored
from shared.kinds.ignoring import NOTHING, ignored_for
from shared.kinds.refs import ResourceKey
from shared.kinds.settings import ArgoSettings

Obj = dict[str, Any]
WEB = ResourceKey("apps", "Deployment", "prod", "web")
REPLICAS = {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}


@pytest.mark.parametrize(
    ("rule", "means"),
    [
        (REPLICAS, True),
        (REPLICAS | {"name": "web", "namespace": "prod"}, True),
        (REPLICAS | {"name": "other"}, False),
        (REPLICAS | {"namespace": "other"}, False),
        (REPLICAS | {"group": "*", "kind": "*"}, True),
        (REPLICAS | {"group": "", "kind": "Service"}, False),
    ],
)
def test_a_rule_means_objects_by_kind_name_and_namespace(rule: Obj, *, means: bool) -> None:
    assert ignored_for(WEB, [rule], ArgoSettings()) == (Ignored(("/spec/replicas",)) if means else NOTHING)


def test_rules_of_the_application_and_the_settings_add_up() -> None:
    text = "managedFieldsManagers: [hpa]\njsonPointers: [/spec/replicas]\n"
    settings = ArgoSettings.from_configmap({"resource.customizations.ignoreDifferences.all": text})
    rules = [REPLICAS, {"group": "apps", "kind": "Deployment", "jqPathExpressions": [".spec.paused"]}]
    assert ignored_for(WEB, rules, settings) == Ignored(("/spec/replicas",), (".spec.paused",), ("hpa",))
