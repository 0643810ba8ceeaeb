"""Signatures as cosign writes them, made in the test: simple signing under `.sig` tags, bundles beside the image."""

import base64
import hashlib
from typing import Any

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.parts.images import INDEX, MANIFEST, digest_of, push_blob, put
from tests.parts.registry import RunningRegistry

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
INTOTO = "application/vnd.in-toto+json"
SIGNED = "https://sigstore.dev/cosign/sign/v1"
Key = ec.EllipticCurvePrivateKey


def new_key(curve: ec.EllipticCurve | None = None) -> Key:
    return ec.generate_private_key(curve or ec.SECP256R1())


def pem(key: Key) -> str:
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.public_key().public_bytes(*form).decode()


def signature(key: Key, message: bytes, algorithm: hashes.HashAlgorithm | None = None) -> str:
    return base64.b64encode(key.sign(message, ec.ECDSA(algorithm or hashes.SHA256()))).decode()


def simple_payload(digest: str) -> bytes:
    return orjson.dumps(
        {
            "critical": {
                "identity": {"docker-reference": "registry.example.com/acme/web"},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": None,
        }
    )


async def sign_simply(
    registry: RunningRegistry, name: str, digest: str, *signatures: tuple[bytes, str], at: str = ""
) -> None:
    """Payloads with their signatures, under the `.sig` tag of `digest`."""
    layers: list[dict[str, Any]] = [
        {
            "mediaType": SIMPLE,
            "digest": await push_blob(registry, name, payload),
            "size": len(payload),
            "annotations": {"dev.cosignproject.cosign/signature": signed},
        }
        for payload, signed in signatures
    ]
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": await push_blob(registry, name, b"{}")}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {**config, "size": 2}, "layers": layers}
    tag = at or f"{digest.replace(':', '-')}.sig"
    await put(registry, name, tag, orjson.dumps(manifest), MANIFEST)


def statement(digest: str, predicate: str = SIGNED) -> bytes:
    subject = [{"digest": {"sha256": digest.removeprefix("sha256:")}, "annotations": {}}]
    return orjson.dumps(
        {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": predicate, "predicate": {}}
    )


def bundle(key: Key, payload: bytes, algorithm: hashes.HashAlgorithm | None = None) -> bytes:
    signed = b"DSSEv1 %d %b %d %b" % (len(INTOTO), INTOTO.encode(), len(payload), payload)
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": INTOTO,
        "signatures": [{"sig": signature(key, signed, algorithm), "keyid": ""}],
    }
    hint = base64.b64encode(hashlib.sha256(pem(key).encode()).digest()).decode()
    material = {"publicKey": {"hint": hint}, "tlogEntries": []}
    return orjson.dumps({"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope})


def bundle_manifest(content: bytes, config: bytes = b"{}") -> bytes:
    return orjson.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": BUNDLE,
            "config": {"mediaType": EMPTY, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": BUNDLE, "digest": digest_of(content), "size": len(content)}],
        }
    )


def index_of(*manifests: bytes) -> bytes:
    entries = [
        {"mediaType": MANIFEST, "digest": digest_of(each), "size": len(each), "artifactType": BUNDLE}
        for each in manifests
    ]
    return orjson.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})


async def sign_with_bundles(registry: RunningRegistry, name: str, digest: str, *bundles: bytes) -> None:
    """Bundles under the tag that stands in for the list of referrers."""
    manifests = [bundle_manifest(content) for content in bundles]
    await push_blob(registry, name, b"{}")
    for content, manifest in zip(bundles, manifests, strict=True):
        await push_blob(registry, name, content)
        await put(registry, name, "", manifest, MANIFEST)
    await put(registry, name, digest.replace(":", "-"), index_of(*manifests), INDEX)
