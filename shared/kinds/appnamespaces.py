"""In which namespaces Applications count: Argo CD's own, and those that `application.namespaces` lists.

In: the list as written (names, globs, /regular expressions/, separated by commas). Out: whether a namespace is one of
them, and what has to be watched for that: one namespace when that is enough. What the project says comes on top.
"""

from dataclasses import dataclass
from typing import Self

from shared.kinds.globs import matches_name

KEY = "application.namespaces"
CONFIG_MAP = "argocd-cmd-params-cm"


@dataclass(frozen=True, slots=True)
class AppNamespaces:
    """`own`: Argo CD's namespace."""

    own: str
    others: tuple[str, ...] = ()

    @classmethod
    def read(cls, own: str, *lists: str) -> Self:
        """Read lists that are separated by commas; all of them count."""
        names = [name.strip() for text in lists for name in text.split(",")]
        return cls(own, tuple(dict.fromkeys(name for name in names if name and name != own)))

    def includes(self, namespace: str) -> bool:
        """Tell whether Applications of a namespace are ours to care for."""
        return namespace == self.own or matches_name(self.others, namespace)

    @property
    def watched(self) -> str | None:
        """Give the one namespace to watch; None: all of them."""
        return None if self.others else self.own
