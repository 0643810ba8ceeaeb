"""From what a person typed to a `Login`: files are read, a missing password is asked for."""

import getpass
import sys
from pathlib import Path
from typing import Any

from services.cli.errors import CliError, Exit
from services.cli.repository.fields import Login

LARGEST = 1024 * 1024


def given(**typed: Any) -> Login:
    """Read the files among it, and ask for the password of a user who has given nothing to prove who they are."""
    values: dict[str, Any] = {
        name: read(value) if isinstance(value, Path) else value or "" for name, value in typed.items()
    }
    values["basic"] = bool(typed.get("basic"))
    if values["username"] and not (values["password"] or values["certificate_key"]):
        values["password"] = asked(values["username"])
    return Login(**values)


def read(path: Path) -> str:
    try:
        if path.expanduser().stat().st_size > LARGEST:
            raise CliError(f"{path} is too large for a key", code=Exit.USAGE)
        return path.expanduser().read_text()
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}", code=Exit.NOT_FOUND) from error


def asked(username: str) -> str:
    if not sys.stdin.isatty():
        raise CliError(f"user {username} has no password", hint="give --password, or use a terminal", code=Exit.USAGE)
    return getpass.getpass(f"Password of {username}: ")
