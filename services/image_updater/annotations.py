"""The annotations of Argo CD Image Updater on an Application, as wanted images and write-back settings. Pure.

Those that begin with `argocd-image-updater.argoproj.io/`. Extensions of ours (`<alias>.pin-digest`, `.no-downgrade`,
`.minimum-age`, `.tag-pattern`, `.tag-extract`) stand beside them.
"""

import re
from collections.abc import Mapping

from services.image_updater.policy import HelmKeys, Keys, KustomizeName, WantedImage
from services.image_updater.wanted import wanted_image
from shared.kinds.imageupdater import CosignKey, FilterTags, GitConfig, UpdateSettings, WriteBackConfig

PREFIX = "argocd-image-updater.argoproj.io/"
LIST = f"{PREFIX}image-list"
_ALIAS = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-._/]*")
Annotations = Mapping[str, str]


def has_images(annotations: Annotations) -> bool:
    return bool(annotations.get(LIST, "").strip())


def images_of(annotations: Annotations, cosign: CosignKey | None = None) -> tuple[WantedImage, ...]:
    """The image list; nothing else of the annotations counts without it."""
    entries = [entry.strip() for entry in annotations.get(LIST, "").split(",")]
    return tuple(_image(annotations, entry, cosign) for entry in entries if entry)


def alias_of(entry: str) -> tuple[str, str]:
    """`[alias=]image`: an equals sign of a constraint (`nginx:>=1.0`) makes no alias."""
    alias, equals, image = entry.partition("=")
    if equals and _ALIAS.fullmatch(alias.strip()):
        return alias.strip(), image.strip()
    return "", entry


def _image(annotations: Annotations, entry: str, cosign: CosignKey | None) -> WantedImage:
    alias, text = alias_of(entry)
    settings = _settings(annotations, alias)
    keys, problem = _keys(annotations, alias)
    image = wanted_image(alias, text, settings, keys, cosign)
    if problem and not image.problem:
        return _with_problem(image, problem)
    return image


def _with_problem(image: WantedImage, problem: str) -> WantedImage:
    return WantedImage(image.alias, image.written, image.image, image.policy, problem=problem)


def _settings(annotations: Annotations, alias: str) -> UpdateSettings:
    def get(name: str, *, app_wide: bool = True) -> str | None:
        own = annotations.get(f"{PREFIX}{alias.replace('/', '_')}.{name}") if alias else None
        return own if own is not None else annotations.get(PREFIX + name) if app_wide else None

    ignored, platforms = get("ignore-tags"), get("platforms", app_wide=False)
    pattern = get("tag-pattern", app_wide=False)
    return UpdateSettings(
        update_strategy=get("update-strategy"),
        force_update=_flag(get("force-update")),
        allow_tags=get("allow-tags"),
        ignore_tags=None if ignored is None else _list(ignored),
        pull_secret=get("pull-secret"),
        platforms=None if platforms is None else _list(platforms),
        filter_tags=FilterTags(pattern=pattern, extract=get("tag-extract", app_wide=False) or "") if pattern else None,
        pin_digest=_flag(get("pin-digest")),
        no_downgrade=_flag(get("no-downgrade")),
        minimum_age=get("minimum-age"),
    )


def _flag(text: str | None) -> bool | None:
    return None if text is None else text.strip().lower() == "true"


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _keys(annotations: Annotations, alias: str) -> tuple[Keys | None, str]:
    if not alias:
        return None, ""
    start = f"{PREFIX}{alias.replace('/', '_')}."
    helm = HelmKeys(*(annotations.get(f"{start}helm.image-{part}", "").strip() for part in ("name", "tag", "spec")))
    kustomize = annotations.get(f"{start}kustomize.image-name", "").strip()
    if helm != HelmKeys() and kustomize:
        return None, f"{alias} has annotations for both Helm and Kustomize: keep those of one"
    if kustomize:
        return KustomizeName(kustomize), ""
    return (helm, "") if helm != HelmKeys() else (None, "")


def write_back_of(annotations: Annotations) -> WriteBackConfig:
    def get(name: str) -> str:
        return annotations.get(PREFIX + name, "").strip()

    git = GitConfig(
        repository=get("git-repository"), branch=get("git-branch"), write_back_target=get("write-back-target")
    )
    return WriteBackConfig(method=get("write-back-method") or None, git_config=git)
