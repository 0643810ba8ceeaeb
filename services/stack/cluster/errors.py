"""What can go wrong with the embedded cluster, each with a message that says what to do.

ClusterError
|- PortTakenError       the port that was asked for is somebody else's
|- ClusterTakenError    another process runs a cluster in this folder
|- NoClusterError       there is no cluster in this folder
|- PartFailedError      a part ended or never became ready; carries the end of its log
|- DiskFullError        the cluster's folder has no room
|- NodeImpossibleError  this machine or this user can't run a real node; carries every reason
"""

from pathlib import Path


class ClusterError(Exception):
    """The embedded cluster can't do what was asked."""


class PortTakenError(ClusterError):
    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(f"port {port} is in use by another program: choose another one, or none to get a free one")


class ClusterTakenError(ClusterError):
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        super().__init__(f"another process runs the cluster in {directory}: stop it first, or use another folder")


class NoClusterError(ClusterError):
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        super().__init__(f"there is no cluster in {directory}: make one with `tiphys cluster up`")


class PartFailedError(ClusterError):
    def __init__(self, part: str, problem: str, log: Path, tail: str) -> None:
        self.part, self.log, self.tail = part, log, tail
        super().__init__(f"{part} {problem}; the end of {log}:\n{tail}")


class DiskFullError(ClusterError):
    def __init__(self, directory: Path, free_mb: int, needed_mb: int) -> None:
        super().__init__(f"{directory} has {free_mb} MB free and the cluster wants {needed_mb} MB: free some space")


class NodeImpossibleError(ClusterError):
    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        super().__init__("a real node can't run here: " + "; ".join(reasons) + " (`--node kwok` needs none of this)")
