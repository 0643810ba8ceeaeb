"""Secrets that rules name: the public key of signatures, git credentials of their own. Read when needed, never kept.

Only from the namespace of the rule; what is wrong with one is said by its name, never by its content.
"""

from services.image_updater.refusals import Refused
from shared.git.access import Access
from shared.git.credentials import KnownCredentials
from shared.kinds.imageupdater import CosignKey
from shared.kinds.secretdata import InvalidSecret, decoded
from shared.kube import ApiError, Cluster, NotFound, Resource, verbs

SECRETS = Resource("", "v1", "Secret", "secrets", True)


async def cosign_key(cluster: Cluster, namespace: str, key: CosignKey) -> str:
    """The PEM of a public key."""
    if not key.secret_name or not key.key:
        raise Refused("InvalidVerification", "imagesVerification names no cosignKey: give secretName and key")
    texts = await _texts(cluster, namespace, key.secret_name)
    if not texts.get(key.key, "").strip():
        raise Refused("CredentialsUnavailable", f"Secret {namespace}/{key.secret_name} has no key {key.key}")
    return texts[key.key]


async def git_access(cluster: Cluster, known: KnownCredentials, url: str, secret: str) -> Access:
    """How to reach a repository with a Secret of the rule."""
    namespace, _, name = secret.partition("/")
    return known.lookup_with(url, await _secret(cluster, namespace, name))


async def _texts(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    try:
        return decoded(await _secret(cluster, namespace, name))
    except InvalidSecret as error:
        raise Refused("CredentialsUnavailable", str(error)) from error


async def _secret(cluster: Cluster, namespace: str, name: str) -> dict[str, object]:
    try:
        return await verbs.get(cluster, SECRETS, namespace, name)
    except NotFound as error:
        raise Refused("CredentialsUnavailable", f"there is no Secret {namespace}/{name}") from error
    except ApiError as error:
        why = f"Secret {namespace}/{name} can't be read: {error.message}"
        raise Refused("CredentialsUnavailable", why, retriable=error.retriable) from error
