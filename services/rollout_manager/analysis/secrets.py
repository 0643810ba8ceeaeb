"""The Secrets that analyses may read: those of the run's namespace for arguments, the manager's own for providers'
profiles. Read when they are needed, never watched, never kept.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping

from services.rollout_manager.analysis import InvalidAnalysis
from services.rollout_manager.analysis.providers.answer import ProviderError
from services.rollout_manager.keys import Ref
from services.rollout_manager.objects import Objects
from shared.kinds.analysis import Argument
from shared.kube import ApiError


class Secrets:
    """One instance a process. `own`: the manager's namespace."""

    def __init__(self, objects: Objects, own: str) -> None:
        self._objects = objects
        self._own = own

    async def data(self, namespace: str, name: str) -> Mapping[str, str]:
        """Raises ProviderError."""
        try:
            found = await self._objects.fetch(Ref("", "Secret", namespace, name))
        except ApiError as error:
            raise ProviderError(f"the Secret {name} can't be read: {error.message}") from error
        if found is None:
            raise ProviderError(f"there is no Secret {name} in namespace {namespace}")
        return {key: _text(value) for key, value in (found.get("data") or {}).items()}

    async def arguments(self, namespace: str, args: Iterable[Argument]) -> tuple[dict[str, str], list[str]]:
        """The arguments' values, and which of the values are secret. Raises InvalidAnalysis."""
        values: dict[str, str] = {}
        secret: list[str] = []
        problems = []
        for arg in args:
            ref = arg.value_from.secret_key_ref if arg.value_from else None
            if ref is None and arg.value is not None:
                values[arg.name] = arg.value
                continue
            try:
                values[arg.name] = await self._secret(namespace, ref or {})
                secret.append(values[arg.name])
            except ProviderError as error:
                problems.append(f"args.{arg.name} was not resolved: {error}")
        if problems:
            raise InvalidAnalysis(*problems)
        return values, secret

    async def _secret(self, namespace: str, ref: Mapping[str, object]) -> str:
        name, key = str(ref.get("name") or ""), str(ref.get("key") or "")
        if not name or not key:
            raise ProviderError("it has neither a value nor a secretKeyRef with name and key")
        data = await self.data(namespace, name)
        if key not in data:
            raise ProviderError(f"the Secret {name} has no key {key}")
        return data[key]


def _text(value: str) -> str:
    try:
        return base64.b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
