"""Cosign's signatures by key, checked: simple signing payloads, and sigstore bundles v0.3 with a DSSE envelope. Pure.

In: the bytes of a signature, a public key, the digest that must be signed. Out: nothing when it holds; `NotSigned`,
which says why not. Only what names exactly this digest counts. Keyless signatures are not checked here.
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
INTOTO = "application/vnd.in-toto+json"
STATEMENTS = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
SIGNED = "https://sigstore.dev/cosign/sign/v1"
SIMPLE_TYPES = ("cosign container image signature", "atomic container signature")


class BadKey(ValueError):
    """It is no key that signatures can be checked with."""


class NotSigned(Exception):
    """The signature doesn't say that the digest is signed with the key."""


def read_key(pem: str) -> ec.EllipticCurvePublicKey:
    """Raises `BadKey`; the text is not repeated."""
    try:
        key = load_pem_public_key(pem.strip().encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("the key is no PEM of a public key: it begins with -----BEGIN PUBLIC KEY-----") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise BadKey(f"the key is an {type(key).__name__.removesuffix('PublicKey')} key: only ECDSA keys are taken")
    return key


def check_simple(payload: bytes, signature: str, key: ec.EllipticCurvePublicKey, digest: str) -> None:
    """A payload of simple signing, and its signature in base64."""
    _check(key, _bytes(signature), payload)
    critical = _map(_json(payload), "critical")
    if critical.get("type") not in SIMPLE_TYPES:
        raise NotSigned("what is signed is no container image signature")
    signed = _map(critical, "image").get("docker-manifest-digest")
    if signed != digest:
        raise NotSigned(f"the signature is for {str(signed)[:80]}")


def check_bundle(bundle: bytes, key: ec.EllipticCurvePublicKey, digest: str) -> None:
    """A sigstore bundle whose envelope holds cosign's statement about an image."""
    envelope = _map(_json(bundle), "dsseEnvelope")
    if envelope.get("payloadType") != INTOTO:
        raise NotSigned("the bundle holds no in-toto statement")
    payload = _bytes(envelope.get("payload"))
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise NotSigned("the bundle must hold one signature")
    _check(key, _bytes(signatures[0].get("sig")), pre_authentication(INTOTO, payload))
    _check_statement(_json(payload), digest)


def pre_authentication(kind: str, payload: bytes) -> bytes:
    """What DSSE signs."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)


def _check_statement(statement: dict[str, Any], digest: str) -> None:
    if statement.get("_type") not in STATEMENTS or statement.get("predicateType") != SIGNED:
        raise NotSigned("the statement says something about the image, not that it is signed")
    subjects = statement.get("subject")
    maps = [one for one in subjects if isinstance(one, dict)] if isinstance(subjects, list) else []
    digests = [_map(one, "digest").get("sha256") for one in maps]
    if digest.removeprefix("sha256:") not in digests:
        raise NotSigned(f"the signature is for {', '.join(str(one)[:80] for one in digests[:3]) or 'nothing'}")


def _check(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    for algorithm in _algorithms(key):
        try:
            key.verify(signature, message, ec.ECDSA(algorithm))
        except InvalidSignature:
            continue
        return
    raise NotSigned("the signature was not made with this key")


def _algorithms(key: ec.EllipticCurvePublicKey) -> Iterable[hashes.HashAlgorithm]:
    """Cosign signs SHA-256 with any key; newer versions what suits the curve."""
    yield hashes.SHA256()
    if key.curve.key_size > 256:
        yield hashes.SHA384() if key.curve.key_size <= 384 else hashes.SHA512()


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotSigned("the signature is no base64") from error


def _json(data: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise NotSigned("what is signed is not JSON") from error
    if not isinstance(document, dict):
        raise NotSigned("what is signed is JSON of another shape")
    return document


def _map(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}
