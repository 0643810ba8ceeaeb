"""Which value files and file parameters a Helm source reads, in which order: references, globs, missing ones.

In: the source's options, its environment, and where files are. Out: `ValueFile`s with their bytes, in order of
precedence. An entry of several is kept at its first place; what a glob finds but is also listed by name stands where
it is listed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.renderer.environment import Environment
from services.renderer.failures import Reason, RenderFailure
from services.renderer.files import Files
from services.renderer.globs import BadPattern, fixed_folder, has_meta, within_folders
from services.renderer.paths import join, normal, url_scheme

DEFAULT_SCHEMES = "https, http"
MAX_GLOB_FILES = 20_000


class Place(NamedTuple):
    """A path in one of the source's repositories (`ref` "" is its own), or a URL."""

    ref: str
    path: str
    is_url: bool = False


@dataclass(frozen=True, slots=True)
class Roots:
    """Where a Helm source may read: its own files with its folder, and the sources it can refer to by `$name`."""

    files: Files
    folder: str
    refs: Mapping[str, Files]
    schemes: frozenset[str]

    def files_of(self, place: Place) -> Files:
        return self.refs[place.ref] if place.ref else self.files


def allowed_schemes(settings: Mapping[str, str]) -> frozenset[str]:
    """`helm.valuesFileSchemes`; empty text switches remote value files off."""
    listed = settings.get("helm.valuesFileSchemes", DEFAULT_SCHEMES).split(",")
    return frozenset(scheme.strip().lower() for scheme in listed if scheme.strip())


def locate(raw: str, roots: Roots, environment: Environment, *, what: str) -> Place:
    """What one entry means. A reference is taken apart before variables are replaced, as in Argo CD."""
    ref, slash, rest = raw.partition("/")
    if ref.startswith("$") and ref[1:] in roots.refs:
        return Place(ref[1:], normal(environment.expand(f"{slash}{rest}"), what=what))
    text = environment.expand(raw)
    scheme = url_scheme(text)
    if scheme is None:
        return Place("", join(roots.folder, text, what=what))
    if scheme not in roots.schemes:
        message = f"{what} has the scheme {scheme}, which is not allowed: helm.valuesFileSchemes lists those that are"
        raise RenderFailure(Reason.SCHEME_NOT_ALLOWED, message)
    return Place("", text, is_url=True)


def value_files(raws: Sequence[str], roots: Roots, environment: Environment, *, ignore_missing: bool) -> list[Place]:
    """Every value file that exists or must exist, in order; a missing one is an error unless that is allowed."""
    places = [locate(raw, roots, environment, what=f"value file {raw!r}") for raw in raws]
    listed = {place for place in places if place.is_url or not has_meta(place.path)}
    found: dict[Place, None] = {}
    for raw, place in zip(raws, places, strict=True):
        found.update(dict.fromkeys(_existing(raw, place, listed, roots, ignore_missing=ignore_missing)))
    return list(found)


def _existing(raw: str, place: Place, listed: set[Place], roots: Roots, *, ignore_missing: bool) -> Iterator[Place]:
    if place.is_url:
        yield place
    elif has_meta(place.path):
        matches = list(_matches(raw, place, roots.files_of(place)))
        if not matches and not ignore_missing:
            raise RenderFailure(Reason.VALUE_FILE_NOT_FOUND, f"no file matches the value file {raw!r}")
        yield from (match for match in matches if match not in listed)
    elif roots.files_of(place).size(place.path) is not None:
        yield place
    elif not ignore_missing:
        message = (
            f"there is no value file {raw!r} (looked for {place.path}): check the path or set ignoreMissingValueFiles"
        )
        raise RenderFailure(Reason.VALUE_FILE_NOT_FOUND, message)


def _matches(raw: str, place: Place, files: Files) -> Iterator[Place]:
    try:
        fits = within_folders(place.path)
    except BadPattern as error:
        raise RenderFailure(Reason.INVALID_SOURCE, f"value file {raw!r}: {error}") from error
    depth = None if "**" in place.path else place.path.count("/")
    pending, seen = [fixed_folder(place.path)], 0
    found: list[str] = []
    while pending:
        folder = pending.pop()
        for entry in files.list(folder) or ():
            path = f"{folder}/{entry.name}" if folder else entry.name
            seen += 1
            if seen > MAX_GLOB_FILES:
                raise RenderFailure(
                    Reason.INVALID_SOURCE, f"value file {raw!r} looks at more than {MAX_GLOB_FILES:,} files"
                )
            if not entry.is_dir and fits(path):
                found.append(path)
            elif entry.is_dir and not entry.is_link and (depth is None or path.count("/") < depth):
                pending.append(path)
    yield from (Place(place.ref, path) for path in sorted(found))
