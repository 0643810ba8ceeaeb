"""What a command may end with: an exit code that scripts can use, and one or two lines that say what to do.

`CliError` is the only error a command raises on purpose. `explained` turns the adapters' errors (Kubernetes, bus)
into it, once.
"""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command; documented in `tiphys --help`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    TIMEOUT = 4
    UNREACHABLE = 5


CODES = """\b
Exit codes:
  0  done, or nothing differs
  1  failed, differs, or unhealthy
  2  wrong usage
  3  no such object
  4  timed out
  5  the cluster, the bus or the stack cannot be reached
"""


_LOOK = "`tiphys status` and `tiphys doctor` say more"


class CliError(Exception):
    def __init__(self, message: str, *, hint: str = "", code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def explained(error: Exception) -> CliError | None:
    """The adapters' errors as a person should read them; None: an error nobody expected."""
    if isinstance(error, CliError):
        return error
    if isinstance(error, TimeoutError):
        return CliError(str(error) or "timed out", hint="give it longer with --timeout", code=Exit.TIMEOUT)
    return _of_kubernetes(error) or _of_bus(error) or _of_stack(error)


def _of_kubernetes(error: Exception) -> CliError | None:
    from shared import kube

    if not isinstance(error, kube.KubeError):
        return None
    if isinstance(error, kube.NotFound):
        return CliError(error.message, hint="`tiphys app list -A` shows what there is", code=Exit.NOT_FOUND)
    if isinstance(error, kube.Unavailable | kube.NoCluster):
        return CliError(f"the API server cannot be reached: {error.message}", hint=_LOOK, code=Exit.UNREACHABLE)
    if isinstance(error, kube.Forbidden | kube.Unauthorized):
        return CliError(f"not permitted: {error.message}", hint="`tiphys doctor` lists what is needed")
    if isinstance(error, kube.ServerTimeout):
        return CliError(f"the API server is too slow: {error.message}", hint=_LOOK, code=Exit.TIMEOUT)
    return CliError(error.message)


def _of_bus(error: Exception) -> CliError | None:
    from shared import bus

    if isinstance(error, bus.RequestError):
        return CliError(f"{error.reason}: {error.message}")
    if isinstance(error, bus.BusError):
        return CliError(f"the bus: {error}", hint=_LOOK, code=Exit.UNREACHABLE)
    return None


def _of_stack(error: Exception) -> CliError | None:
    from services.stack import cluster, options, state
    from shared import run
    from shared.engines.build import BuildError

    if isinstance(error, state.FolderTakenError):
        return CliError(str(error), hint="`tiphys status` shows it; another --data runs another one beside it")
    if isinstance(error, cluster.NoClusterError):
        return CliError(str(error), code=Exit.NOT_FOUND)
    known = (options.StackError, cluster.ClusterError, BuildError, run.PortTaken, run.SettingsError)
    return CliError(str(error)) if isinstance(error, known) else None
