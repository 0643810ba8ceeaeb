"""The measured repository: commits straight into the bare repository, and the webhook a forge would send. Nothing else.

A push's time begins when the branch has moved; how long git took to move it is no part of the figures.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson

from services.stack.options import StackError
from shared.git.commits import commit_files, create_bare

_NOTHING = "0" * 40


@dataclass
class Forge:
    bare: Path
    repo_url: str
    webhook_url: str
    client: aiohttp.ClientSession
    head: str = _NOTHING

    def create(self) -> None:
        create_bare(self.bare)

    def commit(self, files: Mapping[str, bytes], message: str) -> tuple[str, str, float]:
        """The branch before and after, and the moment it had moved."""
        before, self.head = self.head, commit_files(self.bare, "main", files, message)
        return before, self.head, time.monotonic()

    async def tell(self, before: str, after: str, changed: Sequence[str]) -> None:
        """GitHub's push event."""
        body = {
            "ref": "refs/heads/main",
            "before": before,
            "after": after,
            "repository": {
                "clone_url": self.repo_url,
                "html_url": self.repo_url.removesuffix(".git"),
                "full_name": "bench",
            },
            "commits": [{"id": after, "added": [], "removed": [], "modified": list(changed)}],
        }
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(uuid.uuid4()),
        }
        async with self.client.post(self.webhook_url, data=orjson.dumps(body), headers=headers) as response:
            if response.status >= 300:
                raise StackError(f"the gateway answered a webhook with {response.status}: {await response.text()}")
