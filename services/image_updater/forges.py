"""Pull and merge requests on GitHub, GitLab and Gitea: found, opened, labelled, and closed when they are superseded.

In: the repository's address, how to log in, branches and a message. Out: the request's address. One that exists for
this branch already, open or closed by a person, is taken as it is.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp
from yarl import URL

from services.image_updater.refusals import Refused
from shared.git.access import Access, is_http, proxy_for, tls_context
from shared.kinds.imageupdater import PullRequest
from shared.security import redact
from shared.telemetry import get_logger

LONGEST_TITLE, LONGEST_BODY, LONGEST_REASON = 255, 60_000, 300
MARK = "tiphys-images:"
OWN_BRANCHES = "image-updater-"
log = get_logger()


class Request(NamedTuple):
    """A pull request that exists."""

    number: int
    link: str
    head: str
    body: str
    is_open: bool


class Wish(NamedTuple):
    """The request that there shall be. `images`: what it is about."""

    base: str
    head: str
    message: str
    images: tuple[str, ...]

    @property
    def title(self) -> str:
        return self.message.partition("\n")[0][:LONGEST_TITLE]

    @property
    def body(self) -> str:
        text = self.message.partition("\n")[2].strip()[:LONGEST_BODY]
        return f"{text}\n\n<!-- {MARK} {' | '.join(self.images)} -->"


class Api(NamedTuple):
    """A repository at a forge's API."""

    kind: str
    root: str
    project: str
    access: Access
    seconds: float

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Raises Refused."""
        url = URL(f"{self.root}{path}", encoded=True)
        timeout = aiohttp.ClientTimeout(total=self.seconds)
        secret = self.access.token or self.access.password
        scheme = "token" if self.kind == "gitea" else "Bearer"
        headers = {"Authorization": f"{scheme} {secret.reveal()}"} if secret else {}
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.request(
                    method, url, json=body, ssl=tls_context(self.access), proxy=proxy_for(self.access, url),
                    allow_redirects=False,
                ) as answer,
            ):  # fmt: skip
                return await _answer(self, answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            why = type(error).__name__
            raise Refused(
                "ForgeUnreachable", f"{url.host} can't be reached ({why}): tried again", retriable=True
            ) from error


async def _answer(api: Api, answer: aiohttp.ClientResponse) -> Any:
    if answer.status < 300:
        return await answer.json(content_type=None)
    said = redact(" ".join((await answer.text(errors="replace")).split()))[:LONGEST_REASON]
    where = f"{answer.url.host} answers HTTP {answer.status} ({said})"
    if answer.status in (401, 403):
        raise Refused("ForgeDenied", f"{where}: the credentials must be allowed to open {_named(api.kind)}")
    if answer.status >= 500 or answer.status == 429:
        raise Refused("ForgeUnreachable", f"{where}: it is tried again", retriable=True)
    raise Refused("ForgeRefused", f"{where}: the {_named(api.kind)[:-1]} can't be opened")


def _named(kind: str) -> str:
    return "merge requests" if kind == "gitlab" else "pull requests"


def api_of(how: PullRequest, url: str, access: Access, seconds: float) -> Api:
    if not is_http(url):
        raise Refused("ForgeRefused", "pull requests need the repository's https:// address: set gitConfig.repository")
    address = URL(url)
    project = address.path.strip("/").removesuffix(".git")
    origin = str(address.origin())
    if how.gitlab is not None:
        return Api("gitlab", f"{origin}/api/v4/projects/{quote(project, safe='')}", project, access, seconds)
    if how.gitea is not None:
        return Api("gitea", f"{origin}/api/v1/repos/{quote(project)}", project, access, seconds)
    root = "https://api.github.com" if address.host == "github.com" else f"{origin}/api/v3"
    return Api("github", f"{root}/repos/{quote(project)}", project, access, seconds)


class Forges:
    """`login` turns an app's identity into a token."""

    def __init__(self, login: Callable[[str, Access], Awaitable[Access]], seconds: float = 20.0) -> None:
        self._login, self._seconds = login, seconds

    async def request(self, how: PullRequest, url: str, access: Access, wish: Wish) -> str:
        """The address of the request from `wish.head` to `wish.base`."""
        api = api_of(how, url, await self._login(url, access), self._seconds)
        known = await _requests(api, wish)
        found = next((one for one in known if one.head == wish.head), None)
        if found is None:
            found = await _opened(api, wish, how.labels)
            await _close_superseded(api, known, found, wish.images)
        return found.link


async def _requests(api: Api, wish: Wish) -> list[Request]:
    if api.kind == "gitlab":
        found = await api.call("GET", f"/merge_requests?target_branch={quote(wish.base, safe='')}&per_page=100")
        return [_merge_request(one) for one in found]
    base = quote(wish.base, safe="")
    found = await api.call("GET", f"/pulls?state=all&base={base}&sort=created&direction=desc&per_page=100&limit=50")
    return [_pull_request(one) for one in found]


def _pull_request(one: dict[str, Any]) -> Request:
    is_open = one.get("state") == "open"
    return Request(
        int(one["number"]), str(one["html_url"]), str(one["head"]["ref"]), str(one.get("body") or ""), is_open
    )


def _merge_request(one: dict[str, Any]) -> Request:
    is_open = one.get("state") == "opened"
    return Request(
        int(one["iid"]), str(one["web_url"]), str(one["source_branch"]), str(one.get("description") or ""), is_open
    )


async def _opened(api: Api, wish: Wish, labels: Sequence[str]) -> Request:
    if api.kind == "gitlab":
        body: dict[str, Any] = {
            "source_branch": wish.head,
            "target_branch": wish.base,
            "title": wish.title,
            "description": wish.body,
            "labels": ",".join(labels),
            "remove_source_branch": True,
        }
        return _merge_request(await api.call("POST", "/merge_requests", body))
    body = {"title": wish.title, "head": wish.head, "base": wish.base, "body": wish.body}
    made = _pull_request(await api.call("POST", "/pulls", body))
    if labels:
        await api.call("POST", f"/issues/{made.number}/labels", {"labels": list(labels)})
    return made


async def _close_superseded(api: Api, known: Sequence[Request], new: Request, keys: Sequence[str]) -> None:
    """Older requests of ours that are about nothing but what the new one is about."""
    for one in known:
        about = images_in(one.body)
        if one.is_open and one.head.startswith(OWN_BRANCHES) and about and about <= set(keys):
            await _close(api, one.number)
            log.info("superseded request closed", closed=one.link, by=new.link)


async def _close(api: Api, number: int) -> None:
    if api.kind == "gitlab":
        await api.call("PUT", f"/merge_requests/{number}", {"state_event": "close"})
    else:
        await api.call("PATCH", f"/pulls/{number}", {"state": "closed"})


def images_in(body: str) -> set[str]:
    """The images that a request of ours is about."""
    _, mark, rest = body.rpartition(f"<!-- {MARK}")
    return {part.strip() for part in rest.partition("-->")[0].split("|")} if mark else set()
