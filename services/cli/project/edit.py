"""`proj edit`: a project's spec in the person's editor, again and again until it can be written or is left as it is.

What was typed is never lost: it stays in its file, which is named, unless it was written or nothing was changed.
"""

import asyncio
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.output import note
from services.cli.project import store
from services.cli.session import open_cluster
from shared import yamlio

Obj = dict[str, Any]
ASK = "# Edit the spec of project {name}. Lines that begin with # are left out; an empty file changes nothing."


def editor(environment: Mapping[str, str]) -> list[str]:
    """The person's editor, found as kubectl finds it."""
    said = environment.get("KUBE_EDITOR") or environment.get("EDITOR") or ""
    try:
        return shlex.split(said) or ["vi"]
    except ValueError as error:
        raise CliError(f"the editor {said!r} can't be read: {error}", code=Exit.USAGE) from error


def page(name: str, body: str, trouble: str = "") -> str:
    """What the editor shows: what to do, what is wrong, the spec."""
    lines = [ASK.format(name=name), *(f"# {line}" for line in trouble.splitlines())]
    return "\n".join(lines) + "\n" + body


def body_of(text: str) -> str:
    """The text without the lines above the spec."""
    lines = text.splitlines(keepends=True)
    first = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(lines[first:])


def typed(file: Path) -> str:
    """What the editor left; nothing where the file is gone."""
    return body_of(file.read_text(errors="replace")) if file.exists() else ""


def read(body: str, before: Obj) -> Obj | None:
    """The spec that was typed; None: nothing at all. Raises CliError."""
    try:
        found = yamlio.load_all(body.encode(), "the spec")
    except yamlio.YamlError as error:
        raise CliError(str(error)) from error
    if not found:
        return None
    if len(found) > 1 or not isinstance(found[0], dict):
        raise CliError("the spec has to be one mapping of fields to values")
    store.check({**before, "spec": found[0]}, before)
    return found[0]


async def edit(where: Where, name: str) -> None:
    async with open_cluster(where) as session:
        before = await store.get(session, name)
    with _kept(yamlio.dump(before.get("spec") or {})) as file:
        spec = await _edited(before, file)
        if spec is not None:
            async with open_cluster(where) as session:
                await store.write(session, before, spec)
    note(f"project {name}: {'not changed' if spec is None else 'changed'}")


@contextmanager
def _kept(body: str) -> Iterator[Path]:
    """A file to edit, which stays where something went wrong after it was changed."""
    descriptor, path = tempfile.mkstemp(prefix="tiphys-", suffix=".yaml")
    os.close(descriptor)
    file = Path(path)
    file.write_text(body)
    try:
        yield file
    except BaseException:
        if typed(file) in {"", body}:
            file.unlink(missing_ok=True)
        else:
            note(f"what you wrote is kept in {file}")
        raise
    file.unlink(missing_ok=True)


async def _edited(before: Obj, file: Path) -> Obj | None:
    """The spec as the person leaves it; None: as it was. Raises CliError for one that stays wrong."""
    name, spec = before["metadata"]["name"], before.get("spec") or {}
    body, trouble = yamlio.dump(spec), ""
    while True:
        await asyncio.to_thread(file.write_text, page(name, body, trouble))
        await _open(file)
        shown, body = body, await asyncio.to_thread(typed, file)
        if trouble and body == shown:
            raise CliError(trouble)
        try:
            wanted = read(body, before)
        except CliError as error:
            trouble = error.message
            continue
        return None if wanted == spec else wanted


async def _open(file: Path) -> None:
    command = editor(os.environ)
    try:
        running = await asyncio.create_subprocess_exec(*command, str(file))
    except OSError as error:
        hint = "name yours in $KUBE_EDITOR or $EDITOR"
        raise CliError(f"the editor {command[0]} can't be started: {error.strerror}", hint=hint) from error
    if code := await running.wait():
        raise CliError(f"the editor {command[0]} ended with {code}")
