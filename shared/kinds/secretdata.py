"""What is in a Secret object, as texts, and how a field keeps a secret from being seen.

In: Secret objects. Out: their texts, or `InvalidSecret`, which names the Secret and the key and never what it holds.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationError

from shared.kinds.wire import dotted
from shared.security import Secret

TYPE_LABEL = "argocd.argoproj.io/secret-type"


class InvalidSecret(ValueError):
    """A Secret that can't be used as what its label says."""


def secret_type(obj: Mapping[str, Any]) -> str:
    """Give what a Secret is to Argo CD: repository, repo-creds, cluster, ...; empty when it is nothing."""
    return str(((obj.get("metadata") or {}).get("labels") or {}).get(TYPE_LABEL) or "")


def secret_name(obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata") or {}
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"


def decoded(obj: Mapping[str, Any]) -> dict[str, str]:
    """Give the texts that a Secret holds. Raises InvalidSecret."""
    texts: dict[str, str] = {}
    for key, value in (obj.get("data") or {}).items():
        try:
            texts[key] = base64.b64decode(value or "", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, TypeError, ValueError):
            raise InvalidSecret(f"Secret {secret_name(obj)}: key {key} is no base64 of a UTF-8 text") from None
    texts.update({key: str(value) for key, value in (obj.get("stringData") or {}).items()})
    return texts


def field_problem(error: ValidationError, name: str) -> InvalidSecret:
    """Say which fields are wrong, without their values."""
    fields = ", ".join(dotted(problem["loc"]) for problem in error.errors(include_input=False, include_url=False))
    return InvalidSecret(f"Secret {name}: these keys can't be read: {fields}")


def _wrapped(value: Any) -> Any:
    return Secret(value) if isinstance(value, str) else value


SecretText = Annotated[Secret, BeforeValidator(_wrapped), PlainSerializer(lambda _: "***", return_type=str)]
NONE = Secret("")
