"""Pull Secrets, registries.conf, scripts, docker config files and helpers: each opens the registry that it is for."""

import base64
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from services.registry_watcher.references import Allowed, check, read
from shared.bus import Bus, RequestError
from shared.events import ListTags, WatchedImage, WatchImages
from shared.oci.dockerconfig import BadCredentials, choose, read_config
from shared.oci.manifest import IMAGE_TYPES
from shared.oci.reference import image_of
from tests.parts.images import digest_of, push_image
from tests.parts.lying import lying
from tests.parts.registry import PASSWORD, USER, RunningRegistry, registry_with_password
from tests.registry.watching import Watcher, hook, plain, watching

PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest_asyncio.fixture
async def closed(tmp_path: Path) -> AsyncIterator[RunningRegistry]:
    async with registry_with_password(tmp_path / "registry") as running:
        await push_image(running, "acme/web", "1.0")
        yield running


def docker_config(host: str) -> str:
    return json.dumps({"auths": {f"https://{host}/v1/": {"auth": PAIR}, f"evil{host}": {"auth": "bm86bm8="}}})


async def tags(watcher: Watcher, closed: RunningRegistry, **way: str) -> list[str]:
    answer = await watcher.bus.request(ListTags(image=f"{closed.host}/acme/web", **way))
    return [tag.name for tag in answer.tags]


async def refusal(watcher: Watcher, closed: RunningRegistry, **way: str) -> tuple[str, str]:
    with pytest.raises(RequestError) as refused:
        await tags(watcher, closed, **way)
    assert PASSWORD not in str(refused.value)
    return refused.value.reason, refused.value.message


async def test_a_pull_secret_opens_for_its_own_namespace_alone(
    own_bus: Bus, closed: RunningRegistry, tmp_path: Path
) -> None:
    async with watching(own_bus, tmp_path / "known", plain(closed)) as watcher:
        watcher.secrets.put("team", "pull", _dockerconfigjson=docker_config(closed.host))
        watcher.secrets.put("team", "pair", login=f"{USER}:{PASSWORD}\n")
        assert await tags(watcher, closed, pull_secret="pullsecret:team/pull", namespace="team") == ["1.0"]
        assert await tags(watcher, closed, pull_secret="secret:team/pair#login", namespace="team") == ["1.0"]
        reads = watcher.secrets.reads
        assert await tags(watcher, closed, pull_secret="pullsecret:team/pull", namespace="team") == ["1.0"]
        assert watcher.secrets.reads == reads
        reason, why = await refusal(watcher, closed, pull_secret="pullsecret:team/pull", namespace="other")
        assert (reason, "namespace team" in why) == ("CredentialsUnavailable", True)
        assert (await refusal(watcher, closed))[0] == "Unauthorized"


@pytest.mark.parametrize(
    ("pull_secret", "why"),
    [
        ("pullsecret:team/gone", "not there"),
        ("pullsecret:team/other", "no login for"),
        ("pullsecret:team/broken", "no docker config"),
        ("secret:team/pair#nothing", "no key"),
        ("secret:team/empty#login", "no user:password"),
        ("secret:team/pair", "<name>#<field>"),
        ("pullsecret:team", "<namespace>/<name>"),
        ("pullsecret:team/a/b", "<namespace>/<name>"),
        ("vault:team/pull", "is no kind of pull secret"),
        ("env:HOME", "not listed"),
        ("ext:/bin/sh", "folder of scripts"),
        ("ext:relative", "absolute path"),
        ("ext:/scripts/../bin/sh", "absolute path"),
    ],
)
async def test_what_is_wrong_with_a_pull_secret_is_said(
    own_bus: Bus, closed: RunningRegistry, tmp_path: Path, pull_secret: str, why: str
) -> None:
    async with watching(own_bus, tmp_path / "known", plain(closed)) as watcher:
        watcher.secrets.put("team", "other", _dockerconfigjson=docker_config(f"{closed.host}.evil.com"))
        watcher.secrets.put("team", "broken", _dockerconfigjson="nonsense")
        watcher.secrets.put("team", "pair", login=f"{USER}:{PASSWORD}")
        watcher.secrets.put("team", "empty", login=USER)
        reason, message = await refusal(watcher, closed, pull_secret=pull_secret, namespace="team")
        assert (reason, why in message) == ("CredentialsUnavailable", True), message


async def test_a_changed_secret_is_read_when_the_old_one_is_refused(
    own_bus: Bus, closed: RunningRegistry, tmp_path: Path
) -> None:
    way = {"pull_secret": "secret:team/pair#login", "namespace": "team"}
    async with watching(own_bus, tmp_path / "known", plain(closed)) as watcher:
        watcher.secrets.put("team", "pair", login=f"{USER}:old-password")
        assert (await refusal(watcher, closed, **way))[0] == "Unauthorized"
        watcher.secrets.put("team", "pair", login=f"{USER}:{PASSWORD}")
        watcher.parts.changed()  # or half a minute, or a webhook
        assert await tags(watcher, closed, **way) == ["1.0"]


async def test_registries_conf_names_a_script_or_a_variable_of_the_operator(
    own_bus: Bus, closed: RunningRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "login.sh"
    script.write_text(f"#!/bin/sh\n[ $# -eq 0 ] && echo '{USER}:{PASSWORD}'\n")
    script.chmod(0o755)
    async with watching(own_bus, tmp_path / "a", plain(closed, more=f"  credentials: ext:{script}\n")) as watcher:
        assert await tags(watcher, closed) == ["1.0"]
    monkeypatch.setenv("A_REGISTRY_LOGIN", f"{USER}:{PASSWORD}")
    async with watching(
        own_bus, tmp_path / "b", plain(closed, more="  credentials: env:A_REGISTRY_LOGIN\n")
    ) as watcher:
        assert await tags(watcher, closed) == ["1.0"]
    script.write_text("#!/bin/sh\nexit 3\n")
    async with watching(own_bus, tmp_path / "c", plain(closed, more=f"  credentials: ext:{script}\n")) as watcher:
        reason, why = await refusal(watcher, closed)
        assert (reason, "status 3" in why) == ("CredentialsUnavailable", True)


async def test_a_docker_config_file_holds_logins_or_names_helpers(
    own_bus: Bus, closed: RunningRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.json"
    config.write_text(docker_config(closed.host))
    async with watching(own_bus, tmp_path / "a", plain(closed), docker_config=config) as watcher:
        assert await tags(watcher, closed) == ["1.0"]
    helper = tmp_path / "docker-credential-ours"
    helper.write_text(f'#!/bin/sh\ncat >/dev/null\necho \'{{"Username":"{USER}","Secret":"{PASSWORD}"}}\'\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    config.write_text(json.dumps({"credHelpers": {closed.host: "ours"}}))
    async with watching(own_bus, tmp_path / "b", plain(closed), docker_config=config) as watcher:
        assert await tags(watcher, closed) == ["1.0"]
    config.write_text(json.dumps({"credHelpers": {closed.host: "not-installed"}}))
    async with watching(own_bus, tmp_path / "c", plain(closed), docker_config=config) as watcher:
        reason, why = await refusal(watcher, closed)
        assert (reason, "docker-credential-not-installed" in why) == ("CredentialsUnavailable", True)


async def test_the_first_owner_whose_credentials_work_is_enough(
    own_bus: Bus, closed: RunningRegistry, tmp_path: Path
) -> None:
    image = f"{closed.host}/acme/web"
    async with watching(own_bus, tmp_path / "known", plain(closed)) as watcher:
        watcher.secrets.put("team", "pull", _dockerconfigjson=docker_config(closed.host))
        await watcher.bus.request(WatchImages(owner="a", images=(WatchedImage(image=image),)))
        await watcher.watch(image, owner="b", pull_secret="pullsecret:team/pull", namespace="team")
        digest = await push_image(closed, "acme/web", "1.1", created="2026-02-02T00:00:00Z")
        await watcher.bus.publish(hook(image, "1.1", digest))
        assert (await watcher.pushed()).digest == digest


async def test_nothing_for_strangers_is_not_nothing_for_all(own_bus: Bus, tmp_path: Path) -> None:
    manifest = b'{"schemaVersion":2,"config":{},"layers":[]}'

    async def token(request: web.BaseRequest) -> web.StreamResponse:
        known = request.headers.get("Authorization") == f"Basic {PAIR}"
        return web.json_response({"token": "for-the-team" if known else "for-anyone"})

    async def hidden(request: web.BaseRequest) -> web.StreamResponse:
        given = request.headers.get("Authorization")
        if given != "Bearer for-the-team":
            challenge = {"WWW-Authenticate": f'Bearer realm="{liar.url}/token",service="x"'}
            return web.json_response({}, status=404 if given else 401, headers=challenge)
        if request.path.endswith("/tags/list"):
            return web.json_response({"tags": ["1.0"]})
        headers = {"Content-Type": IMAGE_TYPES[0], "Docker-Content-Digest": digest_of(manifest)}
        return web.Response(body=manifest, headers=headers)

    async with lying() as liar:
        liar.answers |= {"/v2/acme/web/tags/list": hidden, "/v2/acme/web/manifests/1.1": hidden, "/token": token}
        image = f"{liar.host}/acme/web"
        async with watching(own_bus, tmp_path / "known", plain(RunningRegistry(liar.host))) as watcher:
            watcher.secrets.put("team", "pull", _dockerconfigjson=docker_config(liar.host))
            await watcher.bus.request(WatchImages(owner="a", images=(WatchedImage(image=image),)))
            await watcher.watch(image, owner="b", pull_secret="pullsecret:team/pull", namespace="team")
            await watcher.bus.publish(hook(image, "1.1"))
            assert (await watcher.pushed()).digest == digest_of(manifest)


@pytest.mark.parametrize(
    ("key", "image", "fits"),
    [
        ("ghcr.io", "ghcr.io/acme/web", True),
        ("https://ghcr.io", "ghcr.io/acme/web", True),
        ("ghcr.io/acme", "ghcr.io/acme/web", True),
        ("ghcr.io/acm", "ghcr.io/acme/web", False),
        ("ghcr.io", "ghcr.io.evil.com/acme/web", False),
        ("evil.com/ghcr.io", "ghcr.io/acme/web", False),
        ("https://index.docker.io/v1/", "nginx", True),
        ("registry-1.docker.io", "nginx", True),
        ("docker.io", "acme/web", True),
        ("localhost:5000", "localhost:5000/web", True),
        ("localhost", "localhost:5000/web", False),
        ("*.azurecr.io", "acme.azurecr.io/web", True),
        ("*.azurecr.io", "acme.azurecr.io.evil.com/web", False),
        ("*.azurecr.io", "a.b.azurecr.io/web", False),
    ],
)
def test_a_login_is_for_its_whole_host(key: str, image: str, fits: bool) -> None:
    logins = read_config(json.dumps({"auths": {key: {"auth": PAIR}}}))
    found = choose(logins, image_of(image).repository)
    assert (found is not None) is fits
    assert found is None or (found.username, found.password.reveal()) == (USER, PASSWORD)


def test_the_longest_path_and_the_plain_host_go_first() -> None:
    auths = {name: {"username": name, "password": "x"} for name in ("*.io", "ghcr.io", "ghcr.io/acme")}
    logins = read_config(json.dumps({"auths": auths}))
    repositories = ("ghcr.io/acme/web", "ghcr.io/other/web", "quay.io/a/b")
    found = [choose(logins, image_of(image).repository) for image in repositories]
    assert [each.username if each else "" for each in found] == ["ghcr.io/acme", "ghcr.io", "*.io"]


def test_a_pull_secret_never_names_a_helper() -> None:
    config = {"auths": {}, "credHelpers": {"ghcr.io": "evil"}, "credsStore": "evil"}
    assert read_config(json.dumps(config)) == ()


@pytest.mark.parametrize("entry", [{"auth": "%%%"}, {"auth": "bm9jb2xvbg=="}, {"username": "x"}])
def test_a_login_that_is_none_is_refused_without_showing_it(entry: dict[str, str]) -> None:
    with pytest.raises(BadCredentials) as refused:
        read_config(json.dumps({"auths": {"ghcr.io": entry}}))
    assert "nocolon" not in str(refused.value)


def test_an_identity_token_is_kept_as_one() -> None:
    (login,) = read_config(json.dumps({"auths": {"acme.azurecr.io": {"auth": PAIR, "identitytoken": "refreshing"}}}))
    assert login.access.identity.reveal() == "refreshing"


def test_what_an_operator_has_listed_may_be_used(tmp_path: Path) -> None:
    allowed = Allowed(frozenset({"shared"}), frozenset({"LOGIN"}), tmp_path)
    for text in ("pullsecret:shared/a", "pullsecret:mine/a", "env:LOGIN", f"ext:{tmp_path}/login.sh"):
        check(read(text), "mine", allowed)
    for text in ("pullsecret:other/a", "env:HOME", "ext:/bin/sh"):
        with pytest.raises(BadCredentials):
            check(read(text), "mine", allowed)
