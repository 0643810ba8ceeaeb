"""How the connections to destination clusters and repositories are: what Argo CD calls `connectionState`.

In: servers or repository URLs. Out: the state as the service that uses them knows it: the reconciler for clusters,
the git watcher for repositories. Never: credentials.
"""

from typing import ClassVar, Literal

from pydantic import Field

from shared.events.message import Message

ConnectionStatus = Literal["Unknown", "Successful", "Failed"]


class ClusterConnection(Message):
    server: str
    name: str
    status: ConnectionStatus = Field(description="Unknown: it is to be left alone")
    message: str = ""
    version: str = ""
    kinds: int = Field(default=0, description="Kinds that are watched there by the replica that answers")
    applications: int = Field(default=0, description="Applications that go there, of the replica that answers")


class ClusterConnections(Message):
    clusters: tuple[ClusterConnection, ...] = ()


class AskClusters(Message):
    """How are the connections to these clusters? Those that no Application uses are asked once for it."""

    subject: ClassVar[str] = "clusters.connections"

    servers: tuple[str, ...] = Field(default=(), description="Empty: all of them")

    @classmethod
    def read_reply(cls, data: bytes) -> ClusterConnections:
        return ClusterConnections.from_bytes(data)


class RepositoryConnection(Message):
    url: str
    status: ConnectionStatus = Field(description="Unknown: nobody has looked yet")
    message: str = ""


class RepositoryConnections(Message):
    repositories: tuple[RepositoryConnection, ...] = ()


class AskRepositories(Message):
    """How are the connections to these git repositories?"""

    subject: ClassVar[str] = "git.connections"

    urls: tuple[str, ...]
    project: str = ""
    refresh: bool = Field(default=False, description="Look at the remote now")

    @classmethod
    def read_reply(cls, data: bytes) -> RepositoryConnections:
        return RepositoryConnections.from_bytes(data)


CONNECTION_QUESTIONS: tuple[type[Message], ...] = (AskClusters, AskRepositories)
