"""Whose AWS login we have: the environment's keys, a profile's, or what AWS gives a pod for its identity.

In: the environment as a mapping, a profile, a role. Out: a `Login`. What is asked over HTTP is STS (AssumeRole, and
AssumeRoleWithWebIdentity for a service account with a role) and the agent of EKS Pod Identity. Never: the metadata
service of the machine, whose role would be that of everybody on it.
"""

import configparser
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import orjson

from shared import clock
from shared.kube.errors import NoCluster
from shared.security import redact
from shared.security.sigv4 import Login, signed

VERSION = "2011-06-15"
SESSION = "tiphys"
SECONDS = 10.0
LARGEST = 64 * 1024
Environment = Mapping[str, str]
_KEYS = ("AccessKeyId", "SecretAccessKey", "SessionToken")


@dataclass(frozen=True)
class Sts:
    """Where STS is asked. Without a region it is the one of all."""

    url: str
    region: str


def sts_of(environment: Environment) -> Sts:
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    url = environment.get("AWS_ENDPOINT_URL_STS") or f"https://sts.{region + '.' if region else ''}{domain}"
    return Sts(url.rstrip("/") + "/", region or "us-east-1")


async def login_of(environment: Environment, profile: str, role: str) -> Login:
    """The login of a profile, else our own; with a role, the role's. Raises NoCluster."""
    try:
        own = of_profile(environment, profile) if profile else await _own(environment)
        return await _assumed(environment, own, role) if role else own
    except (OSError, TimeoutError, aiohttp.ClientError) as error:
        raise NoCluster(f"no login of AWS could be had: {redact(str(error)) or type(error).__name__}") from error


async def _own(environment: Environment) -> Login:
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return Login(key, secret, environment.get("AWS_SESSION_TOKEN", ""))
    if environment.get("AWS_WEB_IDENTITY_TOKEN_FILE") and environment.get("AWS_ROLE_ARN"):
        return await _of_web_identity(environment)
    if environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return await _of_pod_identity(environment)
    return of_profile(environment, environment.get("AWS_PROFILE") or "default")


def of_profile(environment: Environment, name: str) -> Login:
    """The keys of a profile. Raises NoCluster, OSError."""
    file = Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    parsed = configparser.RawConfigParser()
    try:
        parsed.read_string(file.read_text() if file.is_file() else "")
        found = dict(parsed[name]) if name in parsed else {}
    except (configparser.Error, ValueError):
        raise NoCluster(f"{file.name}, the file of AWS' profiles, can't be read") from None
    key, secret = found.get("aws_access_key_id"), found.get("aws_secret_access_key")
    if not key or not secret:
        where = "the profile has no keys" if found else "there is no such profile"
        raise NoCluster(f"no login of AWS: neither keys nor a role in the environment, and {where}: {name}")
    return Login(key, secret, found.get("aws_session_token", ""))


async def _of_web_identity(environment: Environment) -> Login:
    token = Path(environment["AWS_WEB_IDENTITY_TOKEN_FILE"]).read_text().strip()  # noqa: ASYNC240 - in memory, small
    role, session = environment["AWS_ROLE_ARN"], environment.get("AWS_ROLE_SESSION_NAME") or SESSION
    asked = {"RoleArn": role, "RoleSessionName": session, "WebIdentityToken": token}
    return await _ask_sts(environment, None, "AssumeRoleWithWebIdentity", asked)


async def _assumed(environment: Environment, own: Login, role: str) -> Login:
    return await _ask_sts(environment, own, "AssumeRole", {"RoleArn": role, "RoleSessionName": SESSION})


async def _ask_sts(environment: Environment, own: Login | None, action: str, asked: Mapping[str, str]) -> Login:
    sts = sts_of(environment)
    body = urlencode({"Action": action, "Version": VERSION, **asked}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    if own:
        headers = signed("POST", sts.url, headers, body, own, sts.region, "sts", clock.now())
    status, answer = await _http("POST", sts.url, headers, body, proxies=True)
    found = [_element(answer, name) for name in _KEYS]
    if status != 200 or not all(found):
        why = redact(f"{_element(answer, 'Code')}: {_element(answer, 'Message')}")
        raise NoCluster(f"AWS refused {action} of {asked['RoleArn']}: {why if status != 200 else 'no keys came'}")
    return Login(*found)


def _element(answer: bytes, name: str) -> str:
    """The text of an element; AWS' answers have each of ours once."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", answer.decode(errors="replace"))
    return html.unescape(found.group(1)).strip() if found else ""


async def _of_pod_identity(environment: Environment) -> Login:
    file = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = Path(file).read_text().strip() if file else environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")  # noqa: ASYNC240
    url = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    status, answer = await _http("GET", url, {"Authorization": token} if token else {}, b"", proxies=False)
    try:
        found = orjson.loads(answer) if status == 200 else {}
        return Login(found["AccessKeyId"], found["SecretAccessKey"], found.get("Token", ""))
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        raise NoCluster(f"the agent of EKS Pod Identity gave no login: status {status}") from None


async def _http(method: str, url: str, headers: Mapping[str, str], body: bytes, *, proxies: bool) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, trust_env=proxies) as session,
        session.request(method, url, headers=headers, data=body or None, allow_redirects=False) as answer,
    ):
        return answer.status, await answer.content.read(LARGEST)
