"""What holds for an Application: its images and how they are written, from the responsible ImageUpdater or annotations.

Pure. None: nothing is to be done for this Application.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.image_updater import annotations
from services.image_updater.keys import AppKey
from services.image_updater.matching import Match, matches_for
from services.image_updater.placing import merged
from services.image_updater.policy import WantedImage
from services.image_updater.view import AppView
from services.image_updater.wanted import cosign_of, images_of
from shared.kinds.imageupdater import ImageUpdater, WriteBackConfig


@dataclass(frozen=True, slots=True)
class Rule:
    """`updater` None: the annotations alone. `namespace`: of who decides, whose Secrets may be used."""

    updater: AppKey | None
    namespace: str
    images: tuple[WantedImage, ...]
    config: WriteBackConfig
    others: tuple[AppKey, ...] = ()
    warnings: tuple[str, ...] = ()


def rule_for(view: AppView, updaters: Iterable[ImageUpdater], *, annotations_alone: bool) -> Rule | None:
    """`updaters`: those of the Application's namespace."""
    found = matches_for(updaters, view.key.name, view.metadata.labels)
    if found:
        return _of_updater(view, found[0], found[1:])
    if annotations_alone and annotations.has_images(view.annotations):
        config = merged([annotations.write_back_of(view.annotations)])
        return Rule(None, view.key.namespace, annotations.images_of(view.annotations), config)
    return None


def _of_updater(view: AppView, match: Match, others: list[Match]) -> Rule:
    updater, ref = match
    if ref.use_annotations:
        cosign = cosign_of((ref.images_verification, updater.spec.images_verification))
        images = annotations.images_of(view.annotations, cosign)
        config = merged([annotations.write_back_of(view.annotations)])
        warnings: tuple[str, ...] = ()
    else:
        images = images_of(updater, ref)
        config = merged([ref.write_back_config, updater.spec.write_back_config])
        warnings = _without_effect(view)
    beside = tuple(AppKey(one.updater.namespace, one.updater.name) for one in others)
    return Rule(AppKey(updater.namespace, updater.name), updater.namespace, images, config, beside, warnings)


def _without_effect(view: AppView) -> tuple[str, ...]:
    if not annotations.has_images(view.annotations):
        return ()
    return (f"{view.key}: its image-list annotation has no effect, because this ImageUpdater does not useAnnotations",)
