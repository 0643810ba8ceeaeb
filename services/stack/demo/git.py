"""A person's git, as the demo uses it: clone, change a file, commit, push over HTTP. The forge's webhook does the
rest.
"""

import asyncio
import os
from pathlib import Path

from services.stack.demo.world import CHANGED, bumped
from services.stack.options import StackError

_IDENTITY = {
    "GIT_AUTHOR_NAME": "Demo", "GIT_AUTHOR_EMAIL": "demo@example.com",
    "GIT_COMMITTER_NAME": "Demo", "GIT_COMMITTER_EMAIL": "demo@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
}  # fmt: skip


async def push_new_tag(repo_url: str, folder: Path) -> tuple[str, str]:
    """The pushed commit and the image it brings."""
    await git("clone", "-q", repo_url, str(folder))
    file = folder / CHANGED
    changed, image = bumped(file.read_text())
    file.write_text(changed)
    await git("-C", str(folder), "commit", "-q", "-a", "-m", f"Use {image}")
    commit = await git("-C", str(folder), "rev-parse", "HEAD")
    await git("-C", str(folder), "push", "-q", "origin", "main")
    return commit, image


async def git(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **_IDENTITY},
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise StackError(f"git {arguments[0]} failed: {errors.decode(errors='replace').strip()}")
    return output.decode().strip()
