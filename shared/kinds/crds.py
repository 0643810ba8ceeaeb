"""Writes `deploy/crds`: CustomResourceDefinitions with structural schemas, made from our models.

In: the models. Out: the objects, and their YAML. What the API server refuses in a schema is not in them: references,
titles, defaults, unions with null. Fields that the models don't know are kept by the API server, so that nothing of a
newer manifest is lost. Argo CD's own definitions of these kinds do as well: nothing here depends on ours.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from shared.kinds.analysis import AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate
from shared.kinds.application import Application
from shared.kinds.applicationset import ApplicationSet
from shared.kinds.appproject import AppProject
from shared.kinds.experiment import Experiment
from shared.kinds.imageupdater import ImageUpdater
from shared.kinds.rollout import Rollout
from shared.kinds.wire import Wire

Schema = dict[str, Any]
FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "crds"
KEEP = {"x-kubernetes-preserve-unknown-fields": True}

# Where Argo CD's definitions insist and our models, which also read half-written objects, don't.
REQUIRED = {
    "AppSpec": ["destination", "project"],
    "Source": ["repoURL"],
    "DrySource": ["path", "repoURL", "targetRevision"],
    "SyncSource": ["path", "targetBranch"],
    "HydrateTo": ["targetBranch"],
    "IgnoreDifference": ["kind"],
    "NameValue": ["name", "value"],
    "SyncResource": ["kind", "name"],
    "OperationState": ["operation", "phase", "startedAt"],
    "SyncResult": ["revision"],
    "ResourceResult": ["group", "kind", "name", "namespace", "version"],
    "SyncStatus": ["status"],
    "ComparedTo": ["destination"],
    "Condition": ["message", "type"],
    "SetCondition": ["message", "reason", "status", "type"],
    "HistoryEntry": ["deployedAt", "id"],
    "ProjectRole": ["name"],
    "SignatureKey": ["keyID"],
    "KindRule": ["group", "kind"],
    "JWTToken": ["iat"],
    "ServiceAccountRule": ["defaultServiceAccount", "server"],
    "ApplicationSetSpec": ["generators", "template"],
    "ApplicationTemplate": ["metadata", "spec"],
    "ImageUpdaterSpec": ["applicationRefs"],
    "ApplicationRef": ["namePattern"],
    "ImageConfig": ["alias", "imageName"],
    "CosignKey": ["key", "secretName"],
    "UpdaterCondition": ["lastTransitionTime", "message", "reason", "status", "type"],
    "RecentUpdate": ["alias", "image", "newVersion", "updatedAt"],
    "Metric": ["name", "provider"],
    "ExperimentTemplate": ["name"],
}

# What a model may say to the API server beyond its shape.
CHECKS = ("pattern", "minItems", "maxItems", "minLength", "maxLength")


class Column(NamedTuple):
    name: str
    path: str
    priority: int = 0
    type: str = "string"


class Definition(NamedTuple):
    model: type[Wire]
    plural: str
    short_names: tuple[str, ...]
    required: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    status_subresource: bool = False
    scale: Mapping[str, str] = {}
    scope: str = "Namespaced"
    part_of: str = "argocd"
    rules: Mapping[str, Schema] = {}
    unchecked: tuple[str, ...] = ()
    """Parts of a status that we alone write, and often: to check them field by field is half of what such a write costs
    the API server. What we write satisfies the whole schema too (the tests' stack runs with that).
    """


STATUS = Column("Status", ".status.phase")
AGE = Column("Age", ".metadata.creationTimestamp", type="date")

DEFINITIONS = (
    Definition(
        Application,
        "applications",
        ("app", "apps"),
        ("metadata", "spec"),
        (
            Column("Sync Status", ".status.sync.status"),
            Column("Health Status", ".status.health.status"),
            Column("Revision", ".status.sync.revision", 10),
            Column("Project", ".spec.project", 10),
        ),
        unchecked=("status.history", "status.operationState", "status.resources", "status.sync.comparedTo"),
    ),
    Definition(AppProject, "appprojects", ("appproj", "appprojs"), ("metadata", "spec")),
    Definition(ApplicationSet, "applicationsets", ("appset", "appsets"), ("metadata", "spec"), status_subresource=True),
    Definition(
        ImageUpdater,
        "imageupdaters",
        ("imgupd", "imgupds"),
        ("metadata", "spec"),
        (
            Column("Apps", ".status.applicationsMatched", type="integer"),
            Column("Images", ".status.imagesManaged", type="integer"),
            Column("Last Checked", ".status.lastCheckedAt", type="date"),
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
        ),
        status_subresource=True,
    ),
    Definition(
        Rollout,
        "rollouts",
        ("ro",),
        ("spec",),
        (
            Column("Desired", ".spec.replicas", type="integer"),
            Column("Current", ".status.replicas", type="integer"),
            Column("Up-to-date", ".status.updatedReplicas", type="integer"),
            Column("Available", ".status.availableReplicas", type="integer"),
            AGE,
        ),
        status_subresource=True,
        scale={
            "labelSelectorPath": ".status.selector",
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.HPAReplicas",
        },
        part_of="argo-rollouts",
        rules={"spec.selector": {"message": "spec.selector is immutable", "rule": "self == oldSelf"}},
    ),
    Definition(AnalysisRun, "analysisruns", ("ar",), ("spec",), (STATUS, AGE), part_of="argo-rollouts"),
    Definition(AnalysisTemplate, "analysistemplates", ("at",), ("spec",), (AGE,), part_of="argo-rollouts"),
    Definition(
        ClusterAnalysisTemplate,
        "clusteranalysistemplates",
        ("cat",),
        ("spec",),
        (AGE,),
        scope="Cluster",
        part_of="argo-rollouts",
    ),
    Definition(Experiment, "experiments", ("exp",), ("spec",), (STATUS, AGE), part_of="argo-rollouts"),
)


def structural(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Give a schema as the API server takes it."""
    return _shape(schema, definitions) | _checks(schema)


def _checks(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name in CHECKS or name.startswith("x-kubernetes-")}


def _shape(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return _object(definitions[name], definitions, REQUIRED.get(name)) | _checks(definitions[name])
    if "anyOf" in schema:
        return _union([one for one in schema["anyOf"] if one.get("type") != "null"], definitions)
    match schema.get("type"):
        case "object" if "properties" in schema:
            return _object(schema, definitions, None)
        case "object":
            return {"type": "object"} | _values(schema.get("additionalProperties"), definitions)
        case "array":
            return {"type": "array", "items": structural(schema["items"], definitions)}
        case kind:
            return _leaf(kind, schema)


def _leaf(kind: str | None, schema: Schema) -> Schema:
    if kind is None:
        return {"type": "string"} if "enum" in schema else dict(KEEP)
    return {"type": kind, **({"format": "int64"} if kind == "integer" else {})}


def _values(values: Any, definitions: Mapping[str, Schema]) -> Schema:
    return {"additionalProperties": structural(values, definitions)} if isinstance(values, dict) else dict(KEEP)


def _union(members: list[Schema], definitions: Mapping[str, Schema]) -> Schema:
    if len(members) == 1:
        return structural(members[0], definitions)
    if {one.get("type") for one in members} == {"integer", "string"}:
        return {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
    raise ValueError(f"a CustomResourceDefinition can't say {members}")


def _object(schema: Schema, definitions: Mapping[str, Schema], required: list[str] | None) -> Schema:
    properties = {name: _timed(name, structural(inner, definitions)) for name, inner in schema["properties"].items()}
    names = required or schema.get("required") or []
    return {"type": "object", "properties": properties, **({"required": sorted(names)} if names else {}), **KEEP}


def _timed(name: str, schema: Schema) -> Schema:
    """Times are text in our models; the API server checks them, as Argo CD's definitions have it do."""
    return (
        {**schema, "format": "date-time"}
        if name.endswith(("At", "Time")) and schema.get("type") == "string"
        else schema
    )


def schema_of(definition: Definition, *, whole: bool = False) -> Schema:
    full = definition.model.model_json_schema(by_alias=True)
    properties = {
        name: structural(inner, full["$defs"]) for name, inner in full["properties"].items() if name != "metadata"
    }
    properties |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    for where, rule in definition.rules.items():
        _at(properties, where)["x-kubernetes-validations"] = [rule]
    for where in () if whole else definition.unchecked:
        _open(_at(properties, where))
    return {"type": "object", "required": list(definition.required), "properties": dict(sorted(properties.items()))}


def _at(properties: Schema, where: str) -> Schema:
    """The schema of a field by its dotted path."""
    first, _, rest = where.partition(".")
    found: Schema = properties[first]
    return _at(found["properties"], rest) if rest else found


def _open(schema: Schema) -> None:
    """Leave no more of a schema than its type."""
    if schema["type"] == "array":
        schema["items"] = {"type": "object", **KEEP}
    else:
        schema.pop("properties")
        schema.pop("required", None)


def crd(definition: Definition, *, whole: bool = False) -> Schema:
    """Give the definition; `whole`: with every field of the status checked, as Argo's own does."""
    kind = definition.model.__name__
    group, _, version = str(definition.model.model_fields["api_version"].default).partition("/")
    served: Schema = {"name": version, "served": True, "storage": True}
    if definition.columns:
        served["additionalPrinterColumns"] = [_column(column) for column in definition.columns]
    served["schema"] = {"openAPIV3Schema": schema_of(definition, whole=whole)}
    if definition.status_subresource:
        served["subresources"] = {"status": {}} | ({"scale": dict(definition.scale)} if definition.scale else {})
    names = {"kind": kind, "listKind": f"{kind}List", "plural": definition.plural, "singular": kind.lower()}
    name = f"{definition.plural}.{group}"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": definition.part_of},
        },
        "spec": {
            "group": group,
            "names": names | {"shortNames": list(definition.short_names)},
            "scope": definition.scope,
            "versions": [served],
        },
    }


def _column(column: Column) -> Schema:
    text: Schema = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return text | ({"priority": column.priority} if column.priority else {})


class _Plain(yaml.SafeDumper):
    """Writes equal parts out each time: anchors are no help to a reader."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def files() -> dict[str, str]:
    """Give the text of each file by its name."""
    head = "# Written by `python -m shared.kinds.crds` from the models; change those.\n"
    return {
        f"{definition.model.__name__.lower()}.yaml": head + yaml.dump(crd(definition), Dumper=_Plain, sort_keys=False)
        for definition in DEFINITIONS
    }


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
