"""`repo add|get|list|rm` and `repocreds add|list|rm`: one Secret each; the git watcher says how the connection is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from services.cli import argosecret
from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit, emit_data, note
from services.cli.repository.fields import HEADER, Login, flag, row, shown, shown_credentials
from services.cli.session import Session, open_bus, open_cluster
from shared.events import AskRepositories, RepositoryConnection, RequestError
from shared.kinds.secrets import InvalidSecret, RepositoryCredentials, RepositorySecret, normalise_url
from shared.security import redact

Obj = dict[str, Any]
REPOSITORY, CREDENTIALS = "repository", "repo-creds"
LOOK_SECONDS = 60.0
NOT_GIT = "not a git repository: it is read when an Application needs it"


@dataclass(frozen=True)
class Wish:
    """What a person said of the repository to add."""

    url: str
    type: str = "git"
    name: str = ""
    project: str = ""
    login: Login = field(default_factory=Login)
    insecure: bool = False
    ignore_host_key: bool = False
    lfs: bool = False
    oci: bool = False
    plain_http: bool = False
    depth: int = 0
    upsert: bool = False

    def texts(self) -> dict[str, str]:
        return {
            "url": self.url,
            "type": self.type,
            "name": self.name,
            "project": self.project,
            "insecure": flag(self.insecure),
            "insecureIgnoreHostKey": flag(self.ignore_host_key),
            "enableLfs": flag(self.lfs),
            "enableOCI": flag(self.oci),
            "insecureOCIForceHttp": flag(self.plain_http),
            "depth": str(self.depth or ""),
            **self.login.texts(),
        }


async def add(where: Where, wish: Wish) -> Exit:
    async with open_cluster(where) as session:
        known = await find(session, wish.url, wish.project)
        name = argosecret.named_after("repo", f"{wish.project} {wish.url}")
        obj = argosecret.secret(session, REPOSITORY, name, wish.texts())
        RepositorySecret.from_secret(obj)
        await argosecret.write(session, obj, known, what=redact(wish.url), upsert=wish.upsert)
    note(f"repository {redact(wish.url)} added")
    state = (await states(where, [RepositorySecret.from_secret(obj)], refresh=True)).get(wish.url)
    if state is None or state.status != "Failed":
        return Exit.OK
    note(f"but it can't be read: {redact(state.message)}")
    return Exit.FAILED


async def show_list(where: Where) -> None:
    async with open_cluster(where) as session:
        found = [secret for _, secret in await registered(session)]
    known = await states(where, found, refresh=False)
    entries = [entry(one, known.get(one.url)) for one in found]
    emit(where.output, entries, HEADER, [row(one) for one in entries])


async def show(where: Where, url: str, project: str, *, refresh: bool) -> None:
    async with open_cluster(where) as session:
        obj = await find(session, url, project)
    if obj is None:
        raise missing(f"repository {redact(url)}", "repo")
    secret = RepositorySecret.from_secret(obj)
    state = (await states(where, [secret], refresh=refresh)).get(secret.url)
    emit_data(Output.YAML if where.output is Output.TABLE else where.output, entry(secret, state))


async def remove(where: Where, url: str, project: str) -> None:
    async with open_cluster(where) as session:
        obj = await find(session, url, project)
        if obj is None:
            raise missing(f"repository {redact(url)}", "repo")
        await argosecret.remove(session, obj)
    note(f"repository {redact(url)} removed; Applications that use it can read it only if it is public")


def entry(secret: RepositorySecret, state: RepositoryConnection | None) -> Obj:
    if not is_git(secret):
        return shown(secret, "Unknown", NOT_GIT)
    return shown(secret, state.status if state else "Unknown", state.message if state else "")


def is_git(secret: RepositorySecret) -> bool:
    return secret.type in {"", "git"} and not secret.enable_oci


async def states(
    where: Where, secrets: Iterable[RepositorySecret], *, refresh: bool
) -> dict[str, RepositoryConnection]:
    """How the git watcher finds them, by URL; nothing where it can't be asked."""
    by_project: dict[str, list[str]] = {}
    for one in filter(is_git, secrets):
        by_project.setdefault(one.project, []).append(one.url)
    found: dict[str, RepositoryConnection] = {}
    try:
        async with open_bus(where) as bus:
            for project, urls in by_project.items():
                question = AskRepositories(urls=tuple(urls), project=project, refresh=refresh)
                answer = await bus.request(question, timeout=LOOK_SECONDS)
                found |= {one.url: one for one in answer.repositories}
    except (CliError, RequestError) as error:
        note(f"the connections are not known: {error}")
    return found


async def registered(session: Session) -> list[tuple[Obj, RepositorySecret]]:
    """Every repository Secret; one that can't be read stops the command, for it says what to correct."""
    try:
        return [(obj, RepositorySecret.from_secret(obj)) for obj in await argosecret.all_of(session, REPOSITORY)]
    except InvalidSecret as error:
        raise CliError(str(error), hint="correct or delete that Secret") from error


async def find(session: Session, url: str, project: str) -> Obj | None:
    wanted = normalise_url(url)
    found = [(obj, one) for obj, one in await registered(session) if normalise_url(one.url) == wanted]
    return next((obj for obj, one in found if one.project == project), None)


def missing(what: str, command: str) -> CliError:
    hint = f"`tiphys {command} list` shows what there is"
    return CliError(f"there is no {what}", hint=hint, code=Exit.NOT_FOUND)


async def add_credentials(where: Where, url: str, kind: str, login: Login, *, oci: bool, upsert: bool) -> None:
    async with open_cluster(where) as session:
        known = await find_credentials(session, url)
        texts = {"url": url, "type": kind, "enableOCI": flag(oci), **login.texts()}
        obj = argosecret.secret(session, CREDENTIALS, argosecret.named_after("creds", url), texts)
        if not RepositoryCredentials.from_secret(obj).has_login:
            raise CliError("there is nothing to log in with", hint="give --username and a password, or a key or token")
        await argosecret.write(session, obj, known, what=redact(url), upsert=upsert)
    note(f"credentials for {redact(url)} added")


async def list_credentials(where: Where) -> None:
    async with open_cluster(where) as session:
        found = [RepositoryCredentials.from_secret(obj) for obj in await argosecret.all_of(session, CREDENTIALS)]
    entries = [shown_credentials(one) for one in found]
    rows = [(one["url"], one["type"], one["login"], one["username"] or "-", one["project"]) for one in entries]
    emit(where.output, entries, ("URL PREFIX", "TYPE", "LOGIN", "USER", "PROJECT"), rows)


async def remove_credentials(where: Where, url: str) -> None:
    async with open_cluster(where) as session:
        obj = await find_credentials(session, url)
        if obj is None:
            raise missing(f"credentials for {redact(url)}", "repocreds")
        await argosecret.remove(session, obj)
    note(f"credentials for {redact(url)} removed")


async def find_credentials(session: Session, url: str) -> Obj | None:
    found = await argosecret.all_of(session, CREDENTIALS)
    return next(
        (obj for obj in found if RepositoryCredentials.from_secret(obj).url.rstrip("/") == url.rstrip("/")), None
    )
