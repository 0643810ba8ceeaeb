"""A whole AppProject as a file and options say it, for `proj create` and `proj generate-spec`."""

import sys
from pathlib import Path
from typing import Any

from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit_data
from services.cli.project import store
from services.cli.project.wish import Wish
from shared import yamlio

Obj = dict[str, Any]
STDIN = Path("-")
OURS = ("name", "namespace", "labels", "annotations", "finalizers")  # the rest of metadata is the API server's


def project_of(name: str | None, wish: Wish, file: Path | None) -> Obj:
    """The project; what the options say takes the place of what the file says. Raises CliError."""
    found = read(file) if file else {}
    metadata = {part: value for part, value in (found.get("metadata") or {}).items() if part in OURS}
    if name and metadata.get("name", name) != name:
        raise CliError(f"the file is about project {metadata['name']}, not {name}", code=Exit.USAGE)
    metadata.setdefault("name", name)
    if not metadata["name"]:
        raise CliError("the project has no name: give PROJECT, or a file that names it", code=Exit.USAGE)
    return {**found, **store.KIND, "metadata": metadata, "spec": {**(found.get("spec") or {}), **wish.fields()}}


def read(file: Path) -> Obj:
    """The one project of a file; `-` is stdin. Raises CliError."""
    try:
        data = sys.stdin.buffer.read(yamlio.LARGEST + 1) if file == STDIN else file.read_bytes()
        found = yamlio.load_all(data, str(file))
    except OSError as error:
        raise CliError(f"{file} can't be read: {error.strerror}", code=Exit.NOT_FOUND) from error
    except yamlio.YamlError as error:
        raise CliError(str(error)) from error
    if len(found) != 1 or not isinstance(found[0], dict) or found[0].get("kind") != store.KIND["kind"]:
        raise CliError(f"{file} has to hold one AppProject", code=Exit.USAGE)
    parts = {part: found[0].get(part) for part in ("metadata", "spec")}
    if wrong := [part for part, value in parts.items() if not isinstance(value, dict | None)]:
        raise CliError(f"{file}: {wrong[0]} has to be a mapping", code=Exit.USAGE)
    return {part: value for part, value in parts.items() if value is not None}


def generate(where: Where, project: Obj, into: Path | None) -> None:
    """Print a project that can be applied, or write it into the file."""
    store.check(project)
    if where.namespace:
        project = {**project, "metadata": {**project["metadata"], "namespace": where.namespace}}
    if into is None:
        emit_data(Output.YAML if where.output is Output.TABLE else where.output, project)
        return
    try:
        into.write_text(yamlio.dump(project))
    except OSError as error:
        raise CliError(f"{into} can't be written: {error.strerror}") from error
