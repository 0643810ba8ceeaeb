"""Which branch a commit starts from and goes to: the one that is followed, one beside it, or a pull request's.

In: the branches as configured, what the remote has. Out: `Tips`, or `Refused`. A branch beside the followed one may be
moved by force only when its last commit is ours.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from services.image_updater.changing import Change
from services.image_updater.placing import Branches
from services.image_updater.refusals import Refused
from shared.engines import gotemplate
from shared.engines.client import Engines
from shared.events import delivery_of
from shared.git.access import Access
from shared.git.changes import describe, forced
from shared.git.mirrors import Mirrors
from shared.git.remote import RemoteRefs
from shared.git.revisions import HEADS

DEFAULT_HEAD = "image-updater-{{ .TargetKey }}-{{ .SHA256 }}"
LONGEST_BRANCH = 255
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|/$|^[-/.]|^@$")


class Ways(NamedTuple):
    branches: Branches
    pull_request: bool


class Remote(NamedTuple):
    """A repository by its normalised address, and the way there."""

    mirrors: Mirrors
    repo: str
    url: str
    access: Access

    @property
    def mirror(self) -> Path:
        return self.mirrors.path_of(self.repo)


class Tips(NamedTuple):
    """`parent`: the commit to build on; `target`: the tip of the branch to write to where that is another one."""

    base: str
    parent: str
    branch: str
    target: str = ""
    force: bool = False


async def tips_of(remote: Remote, engines: Engines, ways: Ways, changes: Sequence[Change]) -> Tips:
    """Looks at the remote; both branches are in the mirror afterwards."""
    target = await target_name(engines, ways, remote.repo, changes)

    def choose(refs: RemoteRefs) -> list[str]:
        base = ways.branches.base or refs.head.removeprefix(HEADS)
        return [HEADS + name for name in (base, target) if name]

    seen = await remote.mirrors.visit(remote.repo, remote.url, remote.access, choose)
    base = ways.branches.base or seen.head.removeprefix(HEADS)
    parent = seen.refs.get(HEADS + base)
    if parent is None:
        raise Refused(
            "BranchNotFound",
            f"the repository has no branch {base or 'that HEAD points to'}: images are written to branches only; set "
            "gitConfig.branch (git-branch) where targetRevision is a tag, a commit or a version",
        )
    if target in ("", base):
        return Tips(base, parent, base)
    tip = seen.refs.get(HEADS + target, "")
    return await _beside(remote, Tips(base, parent, target, tip), ways)


async def _beside(remote: Remote, tips: Tips, ways: Ways) -> Tips:
    if not tips.target:
        return tips
    call, mirror = remote.mirrors.call, remote.mirror
    if not ways.pull_request and not await call(forced, mirror, tips.parent, tips.target):
        return Tips(tips.base, tips.target, tips.branch)
    if not delivery_of((await call(describe, mirror, tips.target)).message):
        raise Refused(
            "BranchTaken",
            f"branch {tips.branch} has commits of others and does not follow from {tips.base}: it is not overwritten; "
            "merge or delete it, or choose another name",
        )
    return tips._replace(force=True)


async def target_name(engines: Engines, ways: Ways, repo: str, changes: Sequence[Change]) -> str:
    """The branch to write to; empty: the followed one."""
    template = ways.branches.target or (DEFAULT_HEAD if ways.pull_request else "")
    if not template:
        return ""
    name = template
    if "{{" in template:
        data = template_data(repo, ways.branches.base, changes)
        name = (await gotemplate.render(engines, {"branch": template}, data))["branch"]
    return checked(name.strip()[:LONGEST_BRANCH])


def template_data(repo: str, base: str, changes: Sequence[Change]) -> dict[str, object]:
    images = [
        {
            "Name": change.image.written,
            "Alias": change.image.alias,
            "OldTag": str(change.old),
            "NewTag": str(change.new),
        }
        for change in sorted(changes, key=lambda one: one.key)
    ]
    lines = sorted({f"{one['Name']}:{one['NewTag']}" for one in images})
    app = changes[0].key.app
    return {
        "Images": images,
        "SHA256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "TargetKey": hashlib.sha256(f"{repo}\0{base}".encode()).hexdigest()[:8],
        "AppName": app.name,
        "AppNamespace": app.namespace,
    }


def checked(name: str) -> str:
    """A name that git takes, whatever a template made of it. Raises Refused."""
    if not name or _FORBIDDEN.search(name):
        raise Refused("InvalidBranch", f"{name[:100]!r} is no name for a branch: correct gitConfig.branch (git-branch)")
    return name
