"""From an ImageUpdater's rule to the images that are wanted: three levels merged, field by field. Pure.

In: the ImageUpdater, the rule that won for an Application, one of its images. Out: `WantedImage`; what is wrong with it
stands in `problem` (it is not followed) or `warnings` (it is).
"""

import platform
from collections.abc import Iterable
from typing import NamedTuple

from services.image_updater.policy import (
    CALVER,
    HelmKeys,
    Keys,
    KustomizeName,
    PluginKeys,
    Policy,
    Strategy,
    WantedImage,
    strategy_of,
)
from shared.kinds.durations import seconds
from shared.kinds.imageupdater import (
    ApplicationRef,
    CosignKey,
    ImageConfig,
    ImagesVerification,
    ImageUpdater,
    ManifestTarget,
    UpdateSettings,
)
from shared.oci.errors import UnsupportedAddress
from shared.oci.reference import image_of

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7"}
OWN_PLATFORM = f"linux/{_MACHINES.get(platform.machine(), platform.machine())}"
NOTHING = UpdateSettings()


class Written(NamedTuple):
    """`name[:constraint]` taken apart."""

    name: str
    constraint: str


def parts_of(text: str) -> Written:
    """The constraint begins at the first colon behind the last slash: a registry's port is no constraint."""
    name = text.strip().partition("@")[0]
    slash = name.rfind("/", 0, _constraint_at(name))
    before, _, constraint = name[slash + 1 :].partition(":")
    return Written(name[: slash + 1] + before, constraint.strip())


def _constraint_at(name: str) -> int:
    """Where operators of a constraint begin, so that a slash in it is no path's."""
    found = [at for operator in ("<", ">", "=", "~", "^", "|", " ") if (at := name.find(operator)) >= 0]
    return min(found, default=len(name))


def merged(levels: Iterable[UpdateSettings | None]) -> UpdateSettings:
    """The nearest level that says anything about a field wins; nearest first."""
    known = [level for level in levels if level is not None]
    return UpdateSettings.model_validate({name: _first(known, name) for name in UpdateSettings.model_fields})


def _first(levels: list[UpdateSettings], name: str) -> object:
    return next((value for level in levels if (value := getattr(level, name)) is not None), None)


def images_of(updater: ImageUpdater, ref: ApplicationRef) -> tuple[WantedImage, ...]:
    return tuple(_image(updater, ref, one) for one in ref.images)


def _image(updater: ImageUpdater, ref: ApplicationRef, image: ImageConfig) -> WantedImage:
    levels = (image.common_update_settings, ref.common_update_settings, updater.spec.common_update_settings)
    verification = cosign_of((image.images_verification, ref.images_verification, updater.spec.images_verification))
    return wanted_image(image.alias, image.image_name, merged(levels), keys_of(image.manifest_targets), verification)


def cosign_of(levels: Iterable[ImagesVerification | None]) -> CosignKey | None:
    nearest = next((level for level in levels if level is not None), None)
    if nearest is None or not nearest.is_enabled:
        return None
    return nearest.cosign_key or CosignKey()


def keys_of(target: ManifestTarget | None) -> Keys | None:
    if target is None:
        return None
    if target.helm is not None:
        return HelmKeys(target.helm.name or "", target.helm.tag or "", target.helm.spec or "")
    if target.kustomize is not None:
        return KustomizeName(target.kustomize.name or "")
    found = target.plugin
    return None if found is None else PluginKeys(found.name or "", found.tag or "", found.spec or "")


def wanted_image(
    alias: str, text: str, settings: UpdateSettings, keys: Keys | None, cosign: CosignKey | None = None
) -> WantedImage:
    written = parts_of(text)
    policy, warnings, problem = policy_of(settings, written.constraint)
    try:
        image = str(image_of(written.name).repository)
    except UnsupportedAddress as error:
        image, problem = "", str(error)
    return WantedImage(
        alias=alias or written.name,
        written=written.name,
        image=image,
        policy=policy,
        force=bool(settings.force_update),
        pull_secret=settings.pull_secret or "",
        keys=keys,
        cosign=cosign,
        warnings=warnings,
        problem=problem,
    )


def policy_of(settings: UpdateSettings, constraint: str) -> tuple[Policy, tuple[str, ...], str]:
    """The policy, warnings, and what keeps the image from being followed."""
    warnings, problem = list[str](), ""
    text = settings.update_strategy or Strategy.SEMVER
    strategy = strategy_of(text)
    if strategy is None:
        warnings.append(f"update strategy {text!r} is unknown: semver is used")
    age = 0.0
    try:
        age = seconds(settings.minimum_age or "0")
    except ValueError as error:
        problem = f"minimumAge: {error}"
    filters = settings.filter_tags
    pattern = filters.pattern if filters else ""
    if strategy is Strategy.NUMERICAL and not pattern:
        problem = "the numerical strategy needs filterTags.pattern: an expression whose groups are the numbers"
    policy = Policy(
        strategy=strategy or Strategy.SEMVER,
        constraint=constraint,
        allow=settings.allow_tags or "",
        ignore=tuple(settings.ignore_tags or ()),
        platforms=tuple(settings.platforms or (OWN_PLATFORM,)),
        pattern=pattern or (CALVER if strategy is Strategy.CALVER else ""),
        extract=filters.extract if filters else "",
        pin_digest=bool(settings.pin_digest),
        no_downgrade=bool(settings.no_downgrade),
        minimum_age_seconds=age,
    )
    if policy.strategy is Strategy.DIGEST and not constraint:
        problem = "the digest strategy needs a tag to follow: write it behind the image's name, as name:stable"
    return policy, tuple(warnings), problem
