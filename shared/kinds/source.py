"""Where manifests come from: one `source` of an Application with the options of its tool."""

from typing import Any

from pydantic import Field

from shared.kinds.wire import Wire


class NameValue(Wire):
    name: str = ""
    value: str = ""


class HelmParameter(Wire):
    name: str = ""
    value: str = ""
    force_string: bool = False


class HelmFileParameter(Wire):
    name: str = ""
    path: str = ""


class HelmOptions(Wire):
    value_files: tuple[str, ...] = ()
    parameters: tuple[HelmParameter, ...] = ()
    file_parameters: tuple[HelmFileParameter, ...] = ()
    release_name: str = ""
    values: str = ""
    values_object: dict[str, Any] | None = None
    version: str = ""
    pass_credentials: bool = False
    ignore_missing_value_files: bool = False
    skip_crds: bool = False
    skip_tests: bool = False
    skip_schema_validation: bool = False
    namespace: str = ""
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()


class KustomizeReplica(Wire):
    name: str
    count: int | str


class KustomizeTarget(Wire):
    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    annotation_selector: str = ""
    label_selector: str = ""


class KustomizePatch(Wire):
    path: str = ""
    patch: str = ""
    target: KustomizeTarget | None = None
    options: dict[str, bool] = Field(default_factory=dict)


class KustomizeOptions(Wire):
    name_prefix: str = ""
    name_suffix: str = ""
    images: tuple[str, ...] = ()
    replicas: tuple[KustomizeReplica, ...] = ()
    common_labels: dict[str, str] = Field(default_factory=dict)
    force_common_labels: bool = False
    label_without_selector: bool = False
    label_include_templates: bool = False
    common_annotations: dict[str, str] = Field(default_factory=dict)
    force_common_annotations: bool = False
    common_annotations_envsubst: bool = False
    namespace: str = ""
    patches: tuple[KustomizePatch, ...] = ()
    components: tuple[str, ...] = ()
    ignore_missing_components: bool = False
    version: str = ""
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()


class JsonnetVariable(Wire):
    name: str
    value: str
    code: bool = False


class JsonnetOptions(Wire):
    ext_vars: tuple[JsonnetVariable, ...] = ()
    tlas: tuple[JsonnetVariable, ...] = ()
    libs: tuple[str, ...] = ()


class DirectoryOptions(Wire):
    recurse: bool = False
    include: str = ""
    exclude: str = ""
    jsonnet: JsonnetOptions | None = None
    disable_extension_filter: bool = False


class EnvEntry(Wire):
    name: str
    value: str


class PluginParameter(Wire):
    name: str = ""
    string: str | None = None
    array: tuple[str, ...] | None = None
    map: dict[str, str] | None = None


class PluginOptions(Wire):
    name: str = ""
    env: tuple[EnvEntry, ...] = ()
    parameters: tuple[PluginParameter, ...] = ()


class Source(Wire):
    repo_url: str = Field(default="", alias="repoURL")
    path: str = ""
    target_revision: str = ""
    chart: str = ""
    ref: str = ""
    name: str = ""
    tag_prefix: str = ""
    helm: HelmOptions | None = None
    kustomize: KustomizeOptions | None = None
    directory: DirectoryOptions | None = None
    plugin: PluginOptions | None = None

    @property
    def is_oci(self) -> bool:
        return self.repo_url.startswith("oci://")

    @property
    def is_helm_repository(self) -> bool:
        """A chart by name from a Helm repository or an OCI registry, not from git."""
        return bool(self.chart)


class DrySource(Wire):
    repo_url: str = Field(default="", alias="repoURL")
    target_revision: str = ""
    path: str = ""
    helm: HelmOptions | None = None
    kustomize: KustomizeOptions | None = None
    directory: DirectoryOptions | None = None
    plugin: PluginOptions | None = None


class SyncSource(Wire):
    target_branch: str = ""
    path: str = ""
    repo_url: str = Field(default="", alias="repoURL")


class HydrateTo(Wire):
    target_branch: str = ""


class SourceHydrator(Wire):
    dry_source: DrySource
    sync_source: SyncSource
    hydrate_to: HydrateTo | None = None
