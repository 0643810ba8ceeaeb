"""The keys that commits may be signed with: where they are kept, and a digest by which two services agree on them.

GPG keys are Argo CD's (`argocd-gpg-keys-cm`: one armored key under each key ID). SSH keys are our addition
(`tiphys-ssh-signers-cm`, key `allowed_signers`, in OpenSSH's own format); a policy names one by its fingerprint.
"""

import hashlib
import json
from collections.abc import Mapping

GPG_CONFIG_MAP = "argocd-gpg-keys-cm"
SSH_CONFIG_MAP = "tiphys-ssh-signers-cm"
SIGNERS = "allowed_signers"


def keyring_digest(gpg: Mapping[str, str], signers: str) -> str:
    """Name what both ConfigMaps hold; empty when they hold nothing."""
    if not gpg and not signers.strip():
        return ""
    return hashlib.sha256(json.dumps([dict(gpg), signers], sort_keys=True).encode()).hexdigest()[:24]
