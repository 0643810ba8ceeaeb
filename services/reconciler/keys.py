"""The name of an Application in this service: its namespace and name, as the work queue and all indexes use it."""

from typing import NamedTuple


class AppKey(NamedTuple):
    """One Application object."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
