"""The AppProjects as they are now, by name, with the rules of global projects added. No I/O.

In: AppProjects from the watch, `globalProjects` of argocd-cm. Out: the project that counts for an Application, or why
it permits nothing: an invalid project, or a global one whose denials can't be read, must not permit by accident.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.kinds.application import InvalidObject, unknown_fields
from shared.kinds.appproject import AppProject
from shared.kinds.labels import InvalidSelector, selects
from shared.kinds.project import with_global_projects
from shared.kinds.projectvalidation import problems
from shared.kinds.settings import GlobalProject


@dataclass(frozen=True, slots=True)
class Known:
    """A project as far as it can be read, and what is wrong with it."""

    project: AppProject
    problems: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def read_project(obj: Mapping[str, Any]) -> Known:
    """Read an AppProject; one that can't be read is empty, with the reasons."""
    try:
        project = AppProject.parse(obj)
    except InvalidObject as error:
        kept = {name: obj["metadata"].get(name) for name in ("name", "deletionTimestamp")}
        return Known(AppProject.parse({"metadata": kept}), error.problems)
    return Known(project, tuple(problems(project)), tuple(unknown_fields(project.spec, ("spec",))))


class Projects:
    """Kept current by watches (watches.py)."""

    def __init__(self) -> None:
        self.deleting: set[str] = set()
        self._by_name: dict[str, Known] = {}
        self._global: tuple[GlobalProject, ...] = ()
        self._effective: dict[str, Known] = {}

    def put(self, name: str, known: Known) -> None:
        """Take a project's newest state."""
        self._by_name[name] = known
        self._effective.clear()
        (self.deleting.add if known.project.metadata.deletion_timestamp else self.deleting.discard)(name)

    def drop(self, name: str) -> None:
        """Forget a project that is gone."""
        self._by_name.pop(name, None)
        self._effective.clear()
        self.deleting.discard(name)

    def set_global(self, rules: tuple[GlobalProject, ...]) -> None:
        """Take `globalProjects` of argocd-cm."""
        self._global = rules
        self._effective.clear()

    def is_global(self, name: str) -> bool:
        """Tell whether others may inherit from this project."""
        return any(rule.project == name for rule in self._global)

    def get(self, name: str) -> Known | None:
        """Give a project with what it inherits; None when there is none."""
        if name not in self._by_name:
            return None
        if name not in self._effective:
            self._effective[name] = effective(self._by_name[name], self._global, self._by_name)
        return self._effective[name]


def effective(own: Known, rules: Iterable[GlobalProject], projects: Mapping[str, Known]) -> Known:
    """Add the lists of the global projects that select this one; what can't be inherited is a problem."""
    found, wrong = [], list(own.problems)
    for rule in rules:
        if rule.project == own.project.name:
            continue
        try:
            if not selects(rule.selector, own.project.metadata.labels):
                continue
        except InvalidSelector as error:
            wrong.append(f"globalProjects of argocd-cm, project {rule.project}: {error}")
            continue
        known = projects.get(rule.project)
        if known is None:  # as in Argo CD: what does not exist adds nothing
            continue
        wrong += [f"its global project {rule.project}: {problem}" for problem in known.problems]
        found.append(known.project)
    return Known(with_global_projects(own.project, found), tuple(wrong))
