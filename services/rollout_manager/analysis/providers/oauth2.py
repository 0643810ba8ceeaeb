"""Logging in to a metrics API: OAuth 2.0 client credentials (RFC 6749, 4.4), or basic authentication."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from services.rollout_manager.analysis.providers.answer import ProviderError
from services.rollout_manager.analysis.providers.web_access import WebAccess


async def authorization(web: WebAccess, authentication: Any) -> Mapping[str, str]:
    """The header that `authentication` asks for; none where it asks for nothing. Raises ProviderError."""
    given = authentication if isinstance(authentication, dict) else {}
    if oauth2 := given.get("oauth2"):
        return {"Authorization": f"Bearer {await _token(web, oauth2)}"}
    if basic := given.get("basicAuth"):
        pair = f"{basic.get('username', '')}:{basic.get('password', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    if given.get("sigv4"):
        raise ProviderError("authentication.sigv4 is for prometheus: use oauth2 or basicAuth")
    return {}


async def _token(web: WebAccess, oauth2: Mapping[str, Any]) -> str:
    missing = [name for name in ("tokenUrl", "clientId", "clientSecret") if not oauth2.get(name)]
    if missing:
        raise ProviderError(f"missing for oauth2: {', '.join(missing)}")
    form = {
        "grant_type": "client_credentials",
        "client_id": str(oauth2["clientId"]),
        "client_secret": str(oauth2["clientSecret"]),
    }
    if scopes := oauth2.get("scopes"):
        form["scope"] = " ".join(map(str, scopes))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await web.request("POST", str(oauth2["tokenUrl"]), headers=headers, body=urlencode(form).encode())
    token = answer.json()
    if not isinstance(token, dict) or not token.get("access_token"):
        raise ProviderError("the token endpoint gave no access_token")
    return str(token["access_token"])
