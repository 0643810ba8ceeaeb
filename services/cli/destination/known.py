"""Which destination clusters are registered, and finding one by its server or name."""

from typing import Any, NamedTuple

from services.cli.argosecret import all_of
from services.cli.errors import CliError, Exit
from services.cli.session import Session
from shared.kinds.application import IN_CLUSTER
from shared.kinds.clusters import ClusterSecret
from shared.kinds.secrets import InvalidSecret

Obj = dict[str, Any]
KIND = "cluster"


class Registered(NamedTuple):
    """A cluster Secret, read and as it is."""

    secret: ClusterSecret
    obj: Obj


async def registered(session: Session) -> list[Registered]:
    """Every cluster Secret; one that can't be read stops the command, for it says what to correct."""
    try:
        return [Registered(ClusterSecret.from_secret(obj), obj) for obj in await all_of(session, KIND)]
    except InvalidSecret as error:
        raise CliError(str(error), hint="correct or delete that Secret") from error


async def find(session: Session, word: str) -> Registered | None:
    """The cluster with this server or name."""
    found = [one for one in await registered(session) if word.rstrip("/") in {one.secret.server, one.secret.name}]
    if len(found) > 1:
        raise CliError(f"{len(found)} clusters are called {word!r}", hint="name the server")
    return found[0] if found else None


async def get(session: Session, word: str) -> Registered:
    """The same, or an error for the person."""
    found = await find(session, word)
    if found is None:
        own = " (the control plane's own cluster needs none)" if word in {IN_CLUSTER, "in-cluster"} else ""
        hint = "`tiphys cluster list` shows what there is"
        raise CliError(f"no cluster Secret names {word!r}{own}", hint=hint, code=Exit.NOT_FOUND)
    return found
