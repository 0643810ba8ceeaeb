"""The login with which the rollout manager asks Amazon: its environment's."""

import os

from services.rollout_manager.analysis.providers.answer import ProviderError
from shared.security.sigv4 import Login


def from_environment(region: str = "") -> tuple[Login, str]:
    """The rollout manager's own login, and its region where none is given. Raises ProviderError."""
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    given = {name: os.environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    missing = [name for name, value in {**given, "AWS_REGION": region}.items() if not value]
    if missing:
        raise ProviderError(f"the rollout manager's environment has no {', no '.join(missing)}")
    key_id, secret = given.values()
    return Login(key_id, secret, os.environ.get("AWS_SESSION_TOKEN", "")), region
