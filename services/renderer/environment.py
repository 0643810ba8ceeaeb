"""The build environment of a source (`ARGOCD_APP_*`) and its substitution in text, with the rules of Go's `os.Expand`.

An `Environment` remembers which variables were asked for: a render that never asked for the revision is the same
render at every revision with the same files. Nothing of the process's own environment is visible here.
"""

import re
from collections.abc import Mapping

SHORT, SHORT_8 = 7, 8
REVISION_VARIABLES = frozenset({"ARGOCD_APP_REVISION", "ARGOCD_APP_REVISION_SHORT", "ARGOCD_APP_REVISION_SHORT_8"})

_SPECIAL = r"[*#$@!?\-0-9]"
_REFERENCE = re.compile(
    rf"\$(?:\{{(?P<braced>[^}}]*)\}}|(?P<open>\{{)|(?P<special>{_SPECIAL})|(?P<name>[A-Za-z0-9_]+))"
)


class Environment:
    """Variables by name, and the names that were used."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.used: set[str] = set()

    @property
    def used_revision(self) -> bool:
        return not REVISION_VARIABLES.isdisjoint(self.used)

    def expand(self, text: str) -> str:
        """Replace `$NAME` and `${NAME}`; `$$` is a dollar, an unknown name is nothing, a lone dollar stays."""
        return _REFERENCE.sub(self._value, text) if "$" in text else text

    def _value(self, match: re.Match[str]) -> str:
        name = match["braced"] or match["special"] or match["name"] or ""
        if name == "$":
            return "$"
        self.used.add(name)
        return self.values.get(name, "")


def build_environment(
    *, app: str, namespace: str, project: str, revision: str, repo_url: str, path: str, target_revision: str
) -> Environment:
    """The variables of one source; `namespace` is the destination's, as in Argo CD."""
    return Environment(
        {
            "ARGOCD_APP_NAME": app,
            "ARGOCD_APP_NAMESPACE": namespace,
            "ARGOCD_APP_PROJECT_NAME": project,
            "ARGOCD_APP_REVISION": revision,
            "ARGOCD_APP_REVISION_SHORT": revision[:SHORT],
            "ARGOCD_APP_REVISION_SHORT_8": revision[:SHORT_8],
            "ARGOCD_APP_SOURCE_REPO_URL": repo_url,
            "ARGOCD_APP_SOURCE_PATH": path,
            "ARGOCD_APP_SOURCE_TARGET_REVISION": target_revision,
        }
    )
