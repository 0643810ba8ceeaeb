"""Is this digest signed with this key? The signatures are looked for where cosign puts them, newest way first.

In: a `Registry`, a digest, a key. Out: a `Verification`, which says why not. What can't be read at all raises an
`OciFailure`: not knowing is not the same as not signed.
"""

from collections.abc import AsyncIterator

from cryptography.hazmat.primitives.asymmetric import ec

from shared.events import Verification
from shared.oci.cosign import BUNDLE, SIGNATURE, SIMPLE_SIGNING, BadKey, NotSigned, check_bundle, check_simple, read_key
from shared.oci.errors import DigestMismatch, Malformed, NotFound, TooLarge
from shared.oci.manifest import Layer, Manifest
from shared.oci.registry import Registry

MOST_SIGNATURES = 100
LARGEST = 256 * 1024
Signature = tuple[Layer, bytes]


async def verify(registry: Registry, digest: str, pem: str) -> Verification:
    """The first signature that holds ends the search."""
    try:
        key = read_key(pem)
    except BadKey as error:
        return Verification(verified=False, why=str(error))
    seen, why = 0, ""
    async for layer, content in signatures(registry, digest):
        seen += 1
        try:
            _check(layer, content, key, digest)
        except NotSigned as reason:
            why = str(reason)
        else:
            return Verification(verified=True, signatures=seen)
        if seen >= MOST_SIGNATURES:
            return Verification(
                verified=False, why=f"none of the first {seen} signatures holds: {why}", signatures=seen
            )
    return Verification(verified=False, why=why or f"{digest} has no signatures", signatures=seen)


def _check(layer: Layer, content: bytes, key: ec.EllipticCurvePublicKey, digest: str) -> None:
    if layer.media_type == BUNDLE:
        check_bundle(content, key, digest)
    else:
        check_simple(content, layer.annotations.get(SIGNATURE, ""), key, digest)


async def signatures(registry: Registry, digest: str) -> AsyncIterator[Signature]:
    """Bundles that refer to the digest (or that its tag lists), then the layers of its `.sig` tag."""
    tag = digest.replace(":", "-")
    for manifest in (await registry.referrers(digest, BUNDLE), await _manifest(registry, tag)):
        for child in manifest.children[:MOST_SIGNATURES] if manifest else ():
            if child.artifact_type == BUNDLE:
                async for signature in _layers(registry, await _manifest(registry, child.digest), 1):
                    yield signature
    async for signature in _layers(registry, await _manifest(registry, f"{tag}.sig"), MOST_SIGNATURES):
        yield signature


async def _layers(registry: Registry, manifest: Manifest | None, most: int) -> AsyncIterator[Signature]:
    for layer in manifest.layers[:most] if manifest else ():
        if layer.media_type in (BUNDLE, SIMPLE_SIGNING):
            try:
                yield layer, await registry.blob(layer.digest, limit=LARGEST)
            except (NotFound, DigestMismatch, TooLarge, Malformed):
                continue  # one that can't be read is none


async def _manifest(registry: Registry, reference: str) -> Manifest | None:
    try:
        return await registry.manifest(reference)
    except (NotFound, DigestMismatch, TooLarge, Malformed):
        return None
