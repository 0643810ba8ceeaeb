"""Many changes become new contents of files of one commit. Pure: the tree is read, nothing is written.

In: a commit's files, the changes. Out: the files that differ, and for each change whether it was made, was there
already, or is refused. Two images that want one place are both refused; one broken file stops its own changes only.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.image_updater import kustomization, overridesfile, setters, valuesfile
from services.image_updater.changing import Change
from services.image_updater.keys import ImageKey, Version
from services.image_updater.placing import Kind
from services.image_updater.refusals import Refused
from shared.git.errors import FileTooLarge, PathEscape, TreeTooLarge
from shared.yamlio import YamlError
from shared.yamlio.edit import Path, set_texts, shown

MOST_SCANNED = 5000


class Files(Protocol):
    """One commit, as shared.git reads it."""

    def read(self, path: str, *, limit: int | None = None) -> bytes | None: ...
    def paths_of(self, path: str) -> tuple[str, ...]: ...
    def walk(self, prefix: str = "", *, limit: int = 0) -> Iterator[str]: ...


@dataclass(slots=True)
class Built:
    """`made`: changes that are in `files`; `already`: those that the commit has."""

    given: Sequence[Change] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    made: list[Change] = field(default_factory=list)
    already: list[Change] = field(default_factory=list)
    refused: dict[ImageKey, Refused] = field(default_factory=dict)


class Workspace:
    """The commit's files with what was changed so far."""

    def __init__(self, tree: Files) -> None:
        self._tree = tree
        self.changed: dict[str, bytes] = {}

    def real(self, path: str) -> str:
        """Where a path leads, over links inside the repository."""
        return self._tree.paths_of(path)[-1]

    def read(self, path: str) -> bytes | None:
        return self.changed[path] if path in self.changed else self._tree.read(path)

    def has(self, path: str) -> bool:
        return self.read(path) is not None

    def needed(self, path: str) -> bytes:
        data = self.read(path)
        if data is None:
            raise Refused("TargetNotFound", f"there is no file {path}: correct the write-back target, or add the file")
        return data

    def write(self, path: str, data: bytes) -> None:
        if data != self.read(path):
            self.changed[path] = data

    def below(self, folder: str) -> list[str]:
        return [path for path in self._tree.walk(folder, limit=MOST_SCANNED) if setters.is_candidate(path)]


def build(tree: Files, changes: Sequence[Change]) -> Built:
    clashing = _clashes(tree, changes)
    space, built = Workspace(tree), Built(given=changes, refused=dict(clashing))
    for change in changes:
        if change.key in clashing:
            continue
        before = dict(space.changed)
        try:
            _apply(space, change)
        except _FAULTS as error:
            space.changed = before
            built.refused[change.key] = _explained(error)
        else:
            (built.already if _names(tree, change) else built.made).append(change)
    built.files = space.changed
    return built


_FAULTS = (Refused, YamlError, PathEscape, FileTooLarge, TreeTooLarge)


def _explained(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, YamlError):
        return Refused("InvalidFile", f"{error}: nothing is written to it until that is corrected")
    reason = "PathOutsideRepository" if isinstance(error, PathEscape) else type(error).__name__
    return Refused(reason, str(error))


def _names(tree: Files, change: Change) -> bool:
    """Whether this change alone would leave the commit as it is."""
    alone = Workspace(tree)
    _apply(alone, change)
    return not alone.changed


def _apply(space: Workspace, change: Change) -> None:
    place, image, version = change.place, change.image, change.new
    if place.kind is Kind.SETTERS:
        _apply_setters(space, change)
        return
    path = _file(space, change)
    if place.kind is Kind.OVERRIDES:
        known = space.read(path)
        space.write(path, overridesfile.edited(known, path, place.source_type, image, version))
        return
    data = space.needed(path)
    if place.kind is Kind.VALUES:
        space.write(path, set_texts(data, path, valuesfile.settings(data, path, image, version)))
    else:
        space.write(path, kustomization.edited(data, path, image, version))


def _file(space: Workspace, change: Change) -> str:
    path = change.place.path
    if change.place.kind is Kind.KUSTOMIZATION:
        path = kustomization.file_in(path, lambda candidate: space.has(space.real(candidate)))
    return space.real(path)


def _policy(change: Change) -> str:
    return f"{change.namespace}:{change.image.alias}"


def _apply_setters(space: Workspace, change: Change) -> None:
    found = False
    for path in _setter_files(space, change):
        data = space.needed(path)
        new = setters.edited(data, path, _policy(change), change.image, change.new)
        found = found or new != data or bool(setters.current(data, path, _policy(change), change.image))
        space.write(path, new)
    if not found:
        mark = f'# {{"$imagepolicy": "{_policy(change)}"}}'
        raise Refused(
            "TargetNotFound", f"no YAML file in {change.place.path or 'the repository'} has a value with {mark}"
        )


def _setter_files(space: Workspace, change: Change) -> list[str]:
    folder = change.place.path
    paths = [folder] if setters.is_candidate(folder) else space.below(folder)
    return [path for path in paths if setters.MARK in (space.read(path) or b"")]


def survey(tree: Files, changes: Iterable[Change]) -> Mapping[ImageKey, Version]:
    """The versions that the files name now; what can't be read is left out, and `build` will say why."""
    space, found = Workspace(tree), dict[ImageKey, Version]()
    for change in changes:
        try:
            found[change.key] = _current(space, change)
        except _FAULTS:
            continue
    return found


def _current(space: Workspace, change: Change) -> Version:
    place, image = change.place, change.image
    if place.kind is Kind.SETTERS:
        versions = [
            setters.current(space.needed(path), path, _policy(change), image) for path in _setter_files(space, change)
        ]
        return next((version for version in versions if any(version)), Version())
    path = _file(space, change)
    if place.kind is Kind.OVERRIDES:
        return overridesfile.current(space.read(path), path, place.source_type, image)
    data = space.needed(path)
    if place.kind is Kind.VALUES:
        return valuesfile.current(data, path, image)
    return kustomization.current(data, path, image)


def _clashes(tree: Files, changes: Sequence[Change]) -> dict[ImageKey, Refused]:
    """Changes that want different values in one place of a values file: nobody can say which is meant."""
    space = Workspace(tree)
    wanted: dict[tuple[str, Path], dict[str, list[Change]]] = {}
    for change in changes:
        if change.place.kind is not Kind.VALUES:
            continue
        try:
            path = _file(space, change)
            for setting in valuesfile.settings(space.needed(path), path, change.image, change.new):
                wanted.setdefault((path, setting.path), {}).setdefault(setting.value, []).append(change)
        except _FAULTS:
            continue
    refused: dict[ImageKey, Refused] = {}
    for (path, place), values in wanted.items():
        if len(values) > 1:
            refused |= {change.key: _clash(path, place, values) for some in values.values() for change in some}
    return refused


def _clash(path: str, place: Path, values: Mapping[str, list[Change]]) -> Refused:
    who = sorted({str(change.key) for some in values.values() for change in some})
    return Refused(
        "KeyConflict",
        f"{' and '.join(who[:4])} want different values for {shown(place)} in {path} "
        f"({', '.join(sorted(values)[:4])}): give each its own key",
    )
