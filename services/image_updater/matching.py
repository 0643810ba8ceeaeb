"""Which rule is responsible for an Application: of all ImageUpdaters of its namespace, one rule wins. Pure.

Within an ImageUpdater the most specific rule wins, as in Argo CD Image Updater. Where several ImageUpdaters match,
they would fight there; here the oldest one has it, and the others are told.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.image_updater import patterns
from shared.kinds.imageupdater import ApplicationRef, ImageUpdater, LabelRequirement, LabelSelectors


class Match(NamedTuple):
    updater: ImageUpdater
    ref: ApplicationRef


def score(ref: ApplicationRef) -> int:
    """How specific a rule is."""
    points = 1_000_000 if patterns.is_literal(ref.name_pattern) else 0
    points += patterns.literal_length(ref.name_pattern)
    if ref.label_selectors is not None:
        points += 10_000
        points += 100 * (len(ref.label_selectors.match_labels) + len(ref.label_selectors.match_expressions))
    return points


def ref_for(updater: ImageUpdater, name: str, labels: Mapping[str, str]) -> ApplicationRef | None:
    """The first of the most specific rules that match."""
    for ref in sorted(updater.spec.application_refs, key=score, reverse=True):
        if patterns.matches(ref.name_pattern, name) and selects(ref.label_selectors, labels):
            return ref
    return None


def matches_for(updaters: Iterable[ImageUpdater], name: str, labels: Mapping[str, str]) -> list[Match]:
    """Every ImageUpdater that matches, the responsible one first: the oldest, then by name."""
    ordered = sorted(updaters, key=lambda one: (one.metadata.creation_timestamp or "", one.name))
    found = ((one, ref_for(one, name, labels)) for one in ordered)
    return [Match(updater, ref) for updater, ref in found if ref is not None]


def selects(selector: LabelSelectors | None, labels: Mapping[str, str]) -> bool:
    if selector is None:
        return True
    if any(labels.get(key) != value for key, value in selector.match_labels.items()):
        return False
    return all(_fits(one, labels) for one in selector.match_expressions)


def _fits(requirement: LabelRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value is not None and value in requirement.values
        case "NotIn":
            return value is None or value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return False
