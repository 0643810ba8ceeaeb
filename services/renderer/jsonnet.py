"""Jsonnet files of a Directory source: their variables and library folders, and the objects of what they evaluate to.

Pure. The evaluation is the engines worker's; imports are looked up in the importing file's folder, in the application's
folder, then in the library folders (relative to the repository's root).
"""

from dataclasses import dataclass

from services.renderer.documents import canonical, parse_json
from services.renderer.environment import Environment
from services.renderer.failures import Reason, RenderFailure
from services.renderer.paths import normal
from shared.kinds.source import JsonnetOptions, JsonnetVariable


@dataclass(frozen=True, slots=True)
class Variables:
    """Names to values: text, or code that is evaluated."""

    text: dict[str, str]
    code: dict[str, str]


@dataclass(frozen=True, slots=True)
class JsonnetJob:
    """What every Jsonnet file of one source is evaluated with."""

    external: Variables
    arguments: Variables
    search: tuple[str, ...]


def gather(options: JsonnetOptions | None, folder: str, environment: Environment) -> JsonnetJob:
    given = options or JsonnetOptions()
    libraries = tuple(normal(path, what=f"jsonnet library {path!r}") for path in given.libs)
    return JsonnetJob(
        external=_variables(given.ext_vars, environment),
        arguments=_variables(given.tlas, environment),
        search=(folder, *libraries),
    )


def objects_of(output: bytes, path: str) -> tuple[bytes, ...]:
    """One object or a list of objects."""
    document = parse_json(output, path)
    found = [each for each in document if each is not None] if isinstance(document, list) else [document]
    if any(not isinstance(each, dict) for each in found):
        message = f"{path} evaluates to something that is neither an object nor a list of objects"
        raise RenderFailure(Reason.JSONNET_FAILED, message)
    return tuple(canonical(found, path))


def _variables(given: tuple[JsonnetVariable, ...], environment: Environment) -> Variables:
    values = {each.name: (environment.expand(each.value), each.code) for each in given}
    return Variables(
        text={name: value for name, (value, code) in values.items() if not code},
        code={name: value for name, (value, code) in values.items() if code},
    )
