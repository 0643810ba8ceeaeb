"""What the inputs of a render hold at the revisions of one request: object ids of a commit's files, or plain facts.

Blocking: commits are read. The path of an input may be any that a source touched; what lies nowhere has a digest too.
"""

from pathlib import Path

from services.renderer.failures import git_failures
from services.renderer.known import CLUSTER, REVISION, Input, question_key
from services.renderer.opened import git_tree
from services.renderer.sources import parse
from shared.events import RenderRequest
from shared.git.tree import GitTree

NOTHING = "-"


class Digests:
    """What inputs hold at the revisions of one request; commits are opened when first asked for."""

    def __init__(self, request: RenderRequest, mirrors: Path) -> None:
        self._given = dict(enumerate(request.sources))
        self._cluster = question_key([request.kube_version, request.api_versions])
        self._mirrors = mirrors
        self._trees: dict[int, GitTree] = {}

    def __call__(self, wanted: Input) -> str:
        match wanted.name:
            case name if name == CLUSTER:
                return self._cluster
            case name if name == REVISION:
                return self._given[wanted.position].revision
            case path:
                with git_failures():
                    return self._tree(wanted.position).tree_digest(path.rstrip("/")) or NOTHING

    def _tree(self, position: int) -> GitTree:
        if position not in self._trees:
            given = self._given[position]
            source = parse(given.source)
            self._trees[position] = git_tree(self._mirrors, source.repo_url, given.revision)
        return self._trees[position]
