"""How a pull secret is named: `pullsecret:ns/name`, `secret:ns/name#field`, `env:VARIABLE`, `ext:/path`. Pure.

Who may use which is decided here too: Secrets only of one's own namespace (or of shared ones), variables and scripts
only those that the operator has listed, because both are the operator's.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shared.oci.dockerconfig import BadCredentials


@dataclass(frozen=True)
class InSecret:
    namespace: str
    name: str
    field: str = ""  # empty: it is a .dockerconfigjson


@dataclass(frozen=True)
class InEnvironment:
    variable: str


@dataclass(frozen=True)
class FromScript:
    path: Path


Reference = InSecret | InEnvironment | FromScript


@dataclass(frozen=True)
class Allowed:
    """What users may name; the operator's own registries.conf may name anything."""

    namespaces: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    scripts: Path | None = None


def read(text: str) -> Reference:
    """Raises `BadCredentials`."""
    kind, _, rest = text.strip().partition(":")
    if kind in ("pullsecret", "secret"):
        return _secret(kind, rest)
    if kind == "env" and rest:
        return InEnvironment(rest)
    if kind == "ext" and PurePosixPath(rest).is_absolute() and ".." not in PurePosixPath(rest).parts:
        return FromScript(Path(rest))
    # the words that follow a kind and its colon would be masked as a secret's value
    raise BadCredentials(
        f"{kind[:50]!r} is no kind of pull secret that can be used so: there are pullsecret (then <namespace>/<name>), "
        "secret (<namespace>/<name>#<field>), env (<variable>) and ext (<absolute path>), each with a colon"
    )


def _secret(kind: str, rest: str) -> InSecret:
    where, _, field = rest.partition("#")
    namespace, slash, name = where.partition("/")
    if not (slash and namespace and name) or "/" in name or bool(field) != (kind == "secret"):
        form = "<namespace>/<name>#<field>" if kind == "secret" else "<namespace>/<name>"
        raise BadCredentials(f"{rest[:200]!r} names no Secret: after {kind} and its colon write {form}")
    return InSecret(namespace, name, field)


def check(reference: Reference, namespace: str, allowed: Allowed) -> None:
    """Whether an object of this namespace may use it; raises `BadCredentials`."""
    match reference:
        case InSecret(namespace=home) if home != namespace and home not in allowed.namespaces:
            raise BadCredentials(
                f"the pull secret is in namespace {home}; from {namespace or '(none)'} only one of its own may be used"
            )
        case InEnvironment(variable) if variable not in allowed.variables:
            raise BadCredentials(f"the variable {variable[:100]} may not be used: the operator has not listed it")
        case FromScript(path) if allowed.scripts is None or not path.is_relative_to(allowed.scripts):
            raise BadCredentials(f"the script {path} may not be used: it is not in the operator's folder of scripts")
