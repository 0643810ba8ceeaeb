"""Tokens of project roles: made here as Argo CD's API server makes them (a JWT of HS256 with `server.secretkey` of
`argocd-secret`), known by an AppProject as `jwtTokens` of the role and `status.jwtTokensByRole`.

A token is shown once and stored nowhere.
"""

import base64
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.cli.argosecret import SECRETS
from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit, emit_data
from services.cli.project import store
from services.cli.project.change import Change, Obj, in_role, listed, removed, replaced
from services.cli.session import Session, open_cluster
from shared.clock import rfc3339
from shared.kinds.durations import seconds
from shared.kube import NotFound, verbs

TOKENS = ("jwtTokens",)
HEADER = ("ID", "ISSUED-AT", "ISSUED", "EXPIRES")


@dataclass(frozen=True)
class Token:
    """`issued` and `expires` in Unix seconds; `expires` 0: never."""

    id: str
    issued: int
    expires: int

    def entry(self) -> Obj:
        return {"iat": self.issued, "id": self.id, **({"exp": self.expires} if self.expires else {})}

    def claims(self, project: str, role: str) -> dict[str, Any]:
        limit = {"exp": self.expires} if self.expires else {}
        subject = f"proj:{project}:{role}"
        return {"iss": "argocd", "sub": subject, "jti": self.id, "iat": self.issued, "nbf": self.issued, **limit}


async def create(where: Where, project: str, role: str, lifetime: float, name: str) -> None:
    """Make a token and show it. `lifetime` in seconds; 0: for ever."""
    issued = int(time.time())
    token = Token(name or str(uuid.uuid4()), issued, issued + int(lifetime) if lifetime else 0)
    async with open_cluster(where) as session:
        signed = sign(await signing_key(session), token.claims(project, role))
    await _edit(where, project, role, with_token(token), f"token {token.id} created for role {role}")
    if where.output is Output.TABLE:
        print(signed)
        return
    emit_data(where.output, {**token.entry(), "token": signed})


async def delete(where: Where, project: str, role: str, which: str) -> None:
    """Take a token away; `which` is its id, or when it was issued, in Unix seconds."""
    change = removed(TOKENS, lambda one: which in {one.get("id"), str(one.get("iat"))}, f"token {which}")
    await _edit(where, project, role, change, f"token {which} of role {role} deleted")


async def show(where: Where, project: str, role: str) -> None:
    async with open_cluster(where) as session:
        tokens = tokens_of((await store.get(session, project)).get("spec") or {}, role)
    emit(where.output, tokens, HEADER, [row(one) for one in tokens])


def lifetime(text: str) -> float:
    """Seconds. Raises CliError."""
    try:
        found = seconds(text)
    except ValueError as error:
        raise CliError(f"--expires-in: {error}", code=Exit.USAGE) from error
    if found < 0 or 0 < found < 1:
        raise CliError("--expires-in: a token lives for a second at least", code=Exit.USAGE)
    return found


def row(token: Obj) -> tuple[str, ...]:
    return (str(token.get("id") or ""), str(token.get("iat")), _moment(token.get("iat")), _moment(token.get("exp")))


def _moment(at: Any) -> str:
    return rfc3339(datetime.fromtimestamp(at, UTC)) if at else "never"


def tokens_of(spec: Obj, role: str) -> list[Obj]:
    """Raises CliError when there is no such role."""
    found = next((one for one in listed(spec, ("roles",)) if one.get("name") == role), None)
    if found is None:
        raise CliError(f"there is no role {role}", code=Exit.NOT_FOUND)
    return listed(found, TOKENS)


def with_token(token: Token) -> Change:
    def change(role: Obj) -> Obj:
        tokens = listed(role, TOKENS)
        if any(one.get("id") == token.id for one in tokens):
            raise CliError(f"there is a token {token.id} already")
        return replaced(role, TOKENS, [*tokens, token.entry()])

    return change


async def _edit(where: Where, project: str, role: str, change: Change, said: str) -> None:
    def status(spec: Obj) -> Obj:
        return {"jwtTokensByRole": {role: {"items": tokens_of(spec, role)}}}

    await store.edit(where, project, in_role(role, change), said, status=status)


async def signing_key(session: Session) -> bytes:
    """Raises CliError when Argo CD's Secret has none."""
    try:
        secret = await verbs.get(session.cluster, SECRETS, session.namespace, "argocd-secret")
    except NotFound:
        secret = {}
    key = base64.b64decode((secret.get("data") or {}).get("server.secretkey") or "")
    if not key:
        hint = "Argo CD's API server makes it at its first start"
        raise CliError("argocd-secret has no server.secretkey to sign tokens with", hint=hint)
    return key


def sign(key: bytes, claims: dict[str, Any]) -> str:
    from joserfc import jwt
    from joserfc.jwk import OctKey

    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(key))
