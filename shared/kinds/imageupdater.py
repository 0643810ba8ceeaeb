"""The ImageUpdater: which images of which Applications follow their registry, and where the new reference is written.

In: the object as the API server gives it. Out: the same. Which rule wins for an Application is image_updater's matter.
Fields that Argo CD Image Updater doesn't have are ours: `filterTags`, `pinDigest`, `noDowngrade`, `minimumAge`, Gitea.
"""

from typing import Any

from pydantic import ConfigDict, Field

from shared.kinds.meta import ObjectMeta
from shared.kinds.wire import Wire

GROUP = "argocd-image-updater.argoproj.io"
FINALIZER = f"resources-finalizer.{GROUP}"

MOST_REFS, MOST_IMAGES = 1000, 500  # the API server wants to know what its rules may cost at most
_MAP_LIST = {"x-kubernetes-list-type": "map"}


def _rules(*rules: tuple[str, str]) -> dict[str, Any]:
    """CEL rules that the API server checks, each with what it says when one is broken."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in rules]}


def _checked(pattern: str) -> dict[str, Any]:
    """Checked by the API server only: our reading stays lenient, so that one bad field hides no other."""
    return {"pattern": pattern}


def _exactly_one(*names: str) -> str:
    return f"{' + '.join(f'(has(self.{name}) ? 1 : 0)' for name in names)} == 1"


class FilterTags(Wire):
    """Which tags count (RE2), and what of them is ordered: groups as `$year.$month`; all groups when empty."""

    pattern: str = ""
    extract: str = ""


class UpdateSettings(Wire):
    """`commonUpdateSettings` at each of three levels; a field of the nearer level wins."""

    update_strategy: str | None = None
    force_update: bool | None = None
    allow_tags: str | None = None
    ignore_tags: tuple[str, ...] | None = None
    pull_secret: str | None = None
    platforms: tuple[str, ...] | None = None
    filter_tags: FilterTags | None = None
    pin_digest: bool | None = None
    no_downgrade: bool | None = None
    minimum_age: str | None = None


class PullRequest(Wire):
    model_config = ConfigDict(
        json_schema_extra=_rules(
            (_exactly_one("github", "gitlab", "gitea"), "give exactly one of github, gitlab and gitea")
        )
    )

    github: dict[str, Any] | None = None
    gitlab: dict[str, Any] | None = None
    gitea: dict[str, Any] | None = None
    labels: tuple[str, ...] = Field(
        default=(),
        json_schema_extra={"maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 255}},
    )


class GitConfig(Wire):
    model_config = ConfigDict(
        json_schema_extra=_rules(
            (
                "!has(self.pullRequest) || !has(self.branch) || !self.branch.contains(':')",
                "a branch of the form base:target can't be combined with pullRequest",
            )
        )
    )

    repository: str = ""
    branch: str = Field(default="", json_schema_extra={"maxLength": 512})
    write_back_target: str = ""
    pull_request: PullRequest | None = None


class WriteBackConfig(Wire):
    method: str | None = Field(
        default=None, json_schema_extra=_checked(r"^(argocd|git|git:[a-zA-Z0-9][a-zA-Z0-9-._/:]*)$")
    )
    git_config: GitConfig | None = None


class CosignKey(Wire):
    secret_name: str = ""
    key: str = ""


class ImagesVerification(Wire):
    """Signatures that an image must have; enabled unless it says otherwise."""

    enabled: bool | None = None
    cosign_key: CosignKey | None = None

    @property
    def is_enabled(self) -> bool:
        return self.enabled is not False


class HelmTarget(Wire):
    model_config = ConfigDict(
        json_schema_extra=_rules(("has(self.name) || has(self.spec)", "helm needs name or spec, or both"))
    )

    name: str | None = None
    tag: str | None = None
    spec: str | None = None


class KustomizeTarget(Wire):
    name: str | None = None


class PluginTarget(Wire):
    model_config = ConfigDict(
        json_schema_extra=_rules(("has(self.name) || has(self.spec)", "plugin needs name or spec, or both"))
    )

    name: str | None = None
    tag: str | None = None
    spec: str | None = None


class ManifestTarget(Wire):
    model_config = ConfigDict(
        json_schema_extra=_rules(
            (_exactly_one("helm", "kustomize", "plugin"), "give exactly one of helm, kustomize and plugin")
        )
    )

    helm: HelmTarget | None = None
    kustomize: KustomizeTarget | None = None
    plugin: PluginTarget | None = None


class ImageConfig(Wire):
    alias: str = Field(default="", json_schema_extra=_checked(r"^[a-zA-Z0-9][a-zA-Z0-9-._]*$"))
    image_name: str = ""
    common_update_settings: UpdateSettings | None = None
    images_verification: ImagesVerification | None = None
    manifest_targets: ManifestTarget | None = None


class LabelRequirement(Wire):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelectors(Wire):
    match_labels: dict[str, str] = Field(default_factory=dict)
    match_expressions: tuple[LabelRequirement, ...] = ()


class ApplicationRef(Wire):
    model_config = ConfigDict(
        json_schema_extra=_rules(
            (
                "(has(self.useAnnotations) && self.useAnnotations) || (has(self.images) && size(self.images) > 0)",
                "images are required unless useAnnotations is true",
            )
        )
    )

    name_pattern: str = ""
    label_selectors: LabelSelectors | None = None
    use_annotations: bool = False
    common_update_settings: UpdateSettings | None = None
    write_back_config: WriteBackConfig | None = None
    images_verification: ImagesVerification | None = None
    images: tuple[ImageConfig, ...] = Field(
        default=(), json_schema_extra={**_MAP_LIST, "x-kubernetes-list-map-keys": ["alias"], "maxItems": MOST_IMAGES}
    )


class ImageUpdaterSpec(Wire):
    namespace: str | None = None
    common_update_settings: UpdateSettings | None = None
    write_back_config: WriteBackConfig | None = None
    images_verification: ImagesVerification | None = None
    application_refs: tuple[ApplicationRef, ...] = Field(
        default=(),
        json_schema_extra={
            **_MAP_LIST,
            "x-kubernetes-list-map-keys": ["namePattern"],
            "minItems": 1,
            "maxItems": MOST_REFS,
        },
    )


class RecentUpdate(Wire):
    alias: str = ""
    image: str = ""
    new_version: str = ""
    applications_updated: int = 0
    updated_at: str | None = None
    message: str = ""


class UpdaterCondition(Wire):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None
    observed_generation: int | None = None


class ImageUpdaterStatus(Wire):
    observed_generation: int = 0
    last_checked_at: str | None = None
    last_updated_at: str | None = None
    applications_matched: int = 0
    images_managed: int = 0
    recent_updates: tuple[RecentUpdate, ...] = ()
    conditions: tuple[UpdaterCondition, ...] = ()


class ImageUpdater(Wire):
    api_version: str = f"{GROUP}/v1alpha1"
    kind: str = "ImageUpdater"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: ImageUpdaterSpec = Field(default_factory=ImageUpdaterSpec)
    status: ImageUpdaterStatus = Field(default_factory=ImageUpdaterStatus)

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    @property
    def name(self) -> str:
        return self.metadata.name
