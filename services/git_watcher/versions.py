"""Version ranges over tags, as the field's own library reads them: the engines worker is asked."""

from collections.abc import Awaitable, Callable, Sequence

from shared.engines.client import Engines
from shared.engines.errors import EngineError, EngineFailure
from shared.events import RequestError
from shared.git.revisions import Highest


def highest_by(engines: Callable[[], Awaitable[Engines]]) -> Highest:
    """The engines are started by the first question."""

    async def highest(constraint: str, versions: Sequence[str]) -> str | None:
        arguments = {"constraint": constraint, "versions": list(versions), "prereleases": False}
        try:
            fitting: list[str] = await (await engines()).call("semver.matching", arguments)
        except EngineError:
            return None  # no range: a branch may be called so
        except EngineFailure as error:
            raise RequestError("EngineFailed", str(error), retriable=True) from error
        return fitting[-1] if fitting else None

    return highest
