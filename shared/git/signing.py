"""Signatures of commits: by an SSH key (in this process) or by an OpenPGP key (gpg, with a key ring of its own).

In: the key and a commit's text. Out: the armoured signature that goes into the commit. The key is never on a command
line, and never in an error.
"""

import base64
import functools
import hashlib
import os
import struct
import subprocess
import tempfile
import textwrap
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
)

from shared.git.commits import Sign
from shared.git.errors import SigningFailed
from shared.security import Secret

MAGIC = b"SSHSIG"
NAMESPACE = b"git"
GPG_SECONDS = 30


def signer(method: str, key: Secret) -> Sign:
    """`openpgp` or `ssh`, as Argo CD Image Updater names them."""
    if method == "ssh":
        return functools.partial(ssh_signature, key)
    if method in ("openpgp", "gpg", ""):
        return functools.partial(gpg_signature, key)
    raise SigningFailed(f"signing method {method!r} is unknown: openpgp or ssh")


def ssh_signature(key: Secret, text: bytes) -> str:
    """What `ssh-keygen -Y sign -n git` makes."""
    try:
        private = load_ssh_private_key(key.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningFailed("the SSH signing key can't be read: give an OpenSSH key without a passphrase") from error
    head = _string(NAMESPACE) + _string(b"") + _string(b"sha512")
    signed = MAGIC + head + _string(hashlib.sha512(text).digest())
    if isinstance(private, ed25519.Ed25519PrivateKey):
        signature = _string(b"ssh-ed25519") + _string(private.sign(signed))
    elif isinstance(private, rsa.RSAPrivateKey):
        made = private.sign(signed, padding.PKCS1v15(), hashes.SHA512())
        signature = _string(b"rsa-sha2-512") + _string(made)
    else:
        raise SigningFailed("the SSH signing key is neither Ed25519 nor RSA: make an Ed25519 key for this")
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    blob = MAGIC + struct.pack(">I", 1) + _string(base64.b64decode(public.split()[1])) + head + _string(signature)
    body = "\n".join(textwrap.wrap(base64.b64encode(blob).decode(), 70))
    return f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n"


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def gpg_signature(key: Secret, text: bytes) -> str:
    """A detached signature by the only key of a ring that is made for it and goes at once."""
    with tempfile.TemporaryDirectory(prefix="tiphys-gpg-") as home:
        Path(home).chmod(0o700)
        _gpg(home, ["--import"], key.reveal().encode())
        made = _gpg(home, ["--detach-sign", "--armor"], text)
        _gpg_ended(home)
    return made.decode()


def _gpg(home: str, words: list[str], data: bytes) -> bytes:
    command = ["gpg", "--homedir", home, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", *words]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "GNUPGHOME": home}
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=GPG_SECONDS, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SigningFailed(
            f"gpg can't be run ({type(error).__name__}): install gnupg, or sign with an SSH key"
        ) from error
    if done.returncode:
        raise SigningFailed("gpg can't sign with this key: give an armoured private key without a passphrase")
    return done.stdout


def _gpg_ended(home: str) -> None:
    """The agent that gpg started for this ring."""
    subprocess.run(
        ["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, timeout=GPG_SECONDS, check=False
    )
