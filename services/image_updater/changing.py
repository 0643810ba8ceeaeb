"""One image of one Application that shall get another version, and where: what the writer is given. Data only."""

from dataclasses import dataclass

from services.image_updater.keys import ImageKey, Version
from services.image_updater.placing import Place
from services.image_updater.policy import WantedImage


@dataclass(frozen=True, slots=True)
class Change:
    """`namespace`: of the rule, for setters."""

    key: ImageKey
    image: WantedImage
    old: Version
    new: Version
    place: Place
    namespace: str
    delivery: str
    labels: tuple[tuple[str, str], ...] = ()
