"""`awsAuthConfig`: tokens as EKS' authenticator reads them, and whose login signs them. STS and EKS Pod Identity are
small servers here that look at what they are asked; behind the authenticator is the real API server.

Not here: the signature itself, against AWS' published values (test_metrics_are_asked_of_their_providers.py).
"""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from shared.clock import now
from shared.kinds.clusters import AWSAuth
from shared.kube import NoCluster, connect_secret
from shared.kube.awslogin import sts_of
from shared.kube.credentials import from_secret
from shared.kube.eks import bearer, token_of
from shared.security import redact
from shared.security.sigv4 import Login
from tests.kube.test_credentials_are_renewed import who
from tests.kube.tools import address, cluster_secret, token
from tests.parts.answering import answering
from tests.parts.cluster import ClusterUnderTest

CANARY = "canary-secret-key"
KEYS = {"AWS_ACCESS_KEY_ID": "AKOWN", "AWS_SECRET_ACCESS_KEY": CANARY, "AWS_REGION": "eu-west-1"}
ROLE = "arn:aws:iam::123456789012:role/deployer"
GIVEN = (
    "<R><C><AccessKeyId>AKROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>"
    "<SessionToken>session+/=</SessionToken></C></R>"
)


def url_in(text: str) -> str:
    prefix, _, encoded = text.partition(".")
    assert (prefix, encoded.count("=")) == ("k8s-aws-v1", 0)
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def query_of(text: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(url_in(text)).query).items()}


@dataclass
class Asked:
    """A server that answers what the test says, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    answer: str = GIVEN
    forms: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.forms.append(dict(await request.post()))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return web.Response(status=self.status, text=self.answer)


@dataclass
class Authenticator:
    """What EKS has in front of its API server: who has a good token comes in as a service account."""

    server: str
    account: str
    url: str = ""
    tokens: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers["authorization"].removeprefix("Bearer "))
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method,
                self.server + request.path_qs,
                data=await request.read(),
                headers={"authorization": f"Bearer {self.account}", "content-type": request.content_type},
                ssl=False,
            ) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)


@pytest_asyncio.fixture
async def asked() -> AsyncIterator[Asked]:
    one = Asked()
    async with answering(one.handle) as one.url:
        yield one


@pytest_asyncio.fixture
async def authenticator(cluster: ClusterUnderTest, namespace: str) -> AsyncIterator[Authenticator]:
    one = Authenticator(address(cluster)[0], token(cluster, namespace))
    async with answering(one.handle) as one.url:
        yield one


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {**KEYS, "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.delenv(name, raising=False)


async def test_a_cluster_is_reached_by_a_token_that_aws_would_take(
    authenticator: Authenticator, namespace: str, own: None
) -> None:
    async with connect_secret(cluster_secret(authenticator.url, {"awsAuthConfig": {"clusterName": "prod"}})) as api:
        assert [await who(api) for _ in range(2)] == [f"system:serviceaccount:{namespace}:default"] * 2
    [sent] = set(authenticator.tokens)
    assert url_in(sent).startswith("https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&")
    said = query_of(sent)
    assert (said["X-Amz-Expires"], said["X-Amz-SignedHeaders"]) == ("60", "host;x-k8s-aws-id")
    assert said["X-Amz-Credential"] == f"AKOWN/{said['X-Amz-Date'][:8]}/eu-west-1/sts/aws4_request"
    at = datetime.strptime(said["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert sent == token_of("prod", Login("AKOWN", CANARY), sts_of(KEYS), at)
    assert sent != token_of("test", Login("AKOWN", CANARY), sts_of(KEYS), at)
    assert sent not in redact(f"the header was {sent}")


async def test_a_token_is_made_anew_before_it_ends(own: None, monkeypatch: pytest.MonkeyPatch) -> None:
    way = await from_secret(cluster_secret("https://eks", {"awsAuthConfig": {"clusterName": "prod"}}))
    first = await way.current()
    assert first.renew_at
    assert first.expires
    assert first.expires - first.renew_at == timedelta(minutes=1)
    assert timedelta(minutes=13) < first.renew_at - now() <= timedelta(minutes=14)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKNEXT")
    assert await way.current() is first
    way.grant = first._replace(renew_at=now())
    second = await way.current()
    assert query_of(second.authorization.removeprefix("Bearer "))["X-Amz-Credential"].startswith("AKNEXT/")


async def test_a_role_is_assumed_first(asked: Asked) -> None:
    environment = {**KEYS, "AWS_ENDPOINT_URL_STS": asked.url}
    made = await bearer(AWSAuth(cluster_name="prod", role_arn=ROLE), environment, now())
    [form], [headers] = asked.forms, asked.headers
    assert (form["Action"], form["RoleArn"], form["RoleSessionName"]) == ("AssumeRole", ROLE, "tiphys")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKOWN/")
    said = query_of(made.text)
    assert (said["X-Amz-Credential"][:7], said["X-Amz-Security-Token"]) == ("AKROLE/", "session+/=")


async def test_a_service_account_with_a_role_needs_no_keys(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("jwt-of-the-pod\n")
    environment = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": ROLE}
    environment |= {"AWS_ENDPOINT_URL_STS": asked.url, "AWS_REGION": "eu-west-1"}
    made = await bearer(AWSAuth(cluster_name="prod", role_arn=f"{ROLE}-2"), environment, now())
    first, second = asked.forms
    assert (first["Action"], first["WebIdentityToken"]) == ("AssumeRoleWithWebIdentity", "jwt-of-the-pod")
    assert (second["Action"], second["RoleArn"]) == ("AssumeRole", f"{ROLE}-2")
    assert "authorization" not in asked.headers[0]
    assert asked.headers[1]["x-amz-security-token"] == "session+/="
    assert query_of(made.text)["X-Amz-Credential"].startswith("AKROLE/")


async def test_the_agent_of_pod_identity_gives_keys(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("for-the-agent")
    asked.answer = orjson.dumps({"AccessKeyId": "AKPOD", "SecretAccessKey": "s", "Token": "t"}).decode()
    environment = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{asked.url}/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
    }
    made = await bearer(AWSAuth(cluster_name="prod"), environment, now())
    assert asked.headers[0]["authorization"] == "for-the-agent"
    assert url_in(made.text).startswith("https://sts.amazonaws.com/?")
    assert "/us-east-1/sts/" in query_of(made.text)["X-Amz-Credential"]


async def test_a_profile_has_keys_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[prod]\naws_access_key_id = AKPROD\naws_secret_access_key = a%b\naws_session_token = t\n")
    environment = {**KEYS, "AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_REGION": "cn-north-1"}
    made = await bearer(AWSAuth(cluster_name="c", profile="prod"), environment, now())
    assert url_in(made.text).startswith("https://sts.cn-north-1.amazonaws.com.cn/?")
    assert query_of(made.text)["X-Amz-Credential"].startswith("AKPROD/")


REFUSED = "<E><Error><Code>AccessDenied</Code><Message>not &quot;you&quot;</Message></Error></E>"


async def test_what_aws_refuses_is_said_without_a_secret(asked: Asked) -> None:
    environment = {**KEYS, "AWS_ENDPOINT_URL_STS": asked.url}
    asked.status, asked.answer = 403, REFUSED
    with pytest.raises(NoCluster, match=f'refused AssumeRole of {ROLE}: AccessDenied: not "you"') as refused:
        await bearer(AWSAuth(cluster_name="prod", role_arn=ROLE), environment, now())
    assert CANARY not in str(refused.value)
    asked.status, asked.answer = 200, "<html>"
    with pytest.raises(NoCluster, match="no keys came"):
        await bearer(AWSAuth(cluster_name="prod", role_arn=ROLE), environment, now())
    gone = {**environment, "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"}
    with pytest.raises(NoCluster, match="no login of AWS could be had"):
        await bearer(AWSAuth(cluster_name="prod", role_arn=ROLE), gone, now())


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        (AWSAuth(), "needs clusterName"),
        (
            AWSAuth(cluster_name="c"),
            "neither keys nor a role in the environment, and there is no such profile",
        ),
        (AWSAuth(cluster_name="c", profile="half"), "the profile has no keys: half"),
    ],
)
async def test_what_is_missing_is_said(auth: AWSAuth, words: str, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(f"[half]\naws_secret_access_key = {CANARY}\n")
    with pytest.raises(NoCluster, match=words) as said:
        await bearer(auth, {"AWS_SHARED_CREDENTIALS_FILE": str(file)}, now())
    assert CANARY not in str(said.value)
    file.write_text(f"aws_secret_access_key = {CANARY}\n")
    with pytest.raises(NoCluster) as said:
        await bearer(AWSAuth(cluster_name="c"), {"AWS_SHARED_CREDENTIALS_FILE": str(file)}, now())
    assert CANARY not in str(said.value)
