"""One Jsonnet file evaluated to JSON; imports come from the same tree of files.

Reasons: JsonnetFailed, FileNotFound, PathEscape.
"""

from collections.abc import Mapping, Sequence

from shared.engines.client import Engines
from shared.engines.files import FileAccess

SECONDS = 60.0
NONE: Mapping[str, str] = {}


async def evaluate(
    engines: Engines,
    files: FileAccess,
    path: str,
    *,
    ext_vars: Mapping[str, str] = NONE,
    ext_code: Mapping[str, str] = NONE,
    tla_vars: Mapping[str, str] = NONE,
    tla_code: Mapping[str, str] = NONE,
    search: Sequence[str] = (),
    deadline: float = SECONDS,
) -> bytes:
    """The JSON text. Imports are looked up beside the importing file, then in `search`, its last folder first."""
    args = {
        "path": path,
        "ext_vars": dict(ext_vars),
        "ext_code": dict(ext_code),
        "tla_vars": dict(tla_vars),
        "tla_code": dict(tla_code),
        "search": list(search),
    }
    result: bytes = await engines.call("jsonnet.evaluate", args, deadline=deadline, files=files)
    return result
