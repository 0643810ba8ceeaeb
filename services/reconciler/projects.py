"""The AppProjects as they are now, by name."""

from shared.kinds.appproject import AppProject


class Projects:
    """Kept current by a watch (app.py)."""

    def __init__(self) -> None:
        self._by_name: dict[str, AppProject] = {}

    def put(self, project: AppProject) -> None:
        """Take a project's newest state."""
        self._by_name[project.name] = project

    def drop(self, name: str) -> None:
        """Forget a project that is gone."""
        self._by_name.pop(name, None)

    def get(self, name: str) -> AppProject | None:
        """Give a project."""
        return self._by_name.get(name)
