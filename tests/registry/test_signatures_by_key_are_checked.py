"""`registry.verify`: what cosign signs with a key holds for exactly that digest and key, and for nothing else."""

import orjson
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from shared.bus import RequestError
from shared.events import Verification, VerifyImage
from shared.oci.cosign import NotSigned, check_bundle, check_simple
from tests.parts.images import push_image
from tests.parts.registry import RunningRegistry
from tests.registry import signing
from tests.registry.signing import bundle, new_key, pem, signature, simple_payload, statement
from tests.registry.watching import Watcher

KEY, OTHER = new_key(), new_key()
DIGEST, ELSE = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


async def verified(watcher: Watcher, registry: RunningRegistry, name: str, digest: str, key: str) -> Verification:
    return await watcher.bus.request(VerifyImage(image=f"{registry.host}/{name}", digest=digest, key=key))


async def test_a_simple_signature_holds_for_its_key_alone(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    name = f"signed/{unique}"
    digest = await push_image(registry, name, "1.0")
    payload = simple_payload(digest)
    await signing.sign_simply(
        registry, name, digest, (payload, signature(OTHER, payload)), (payload, signature(KEY, payload))
    )
    assert await verified(watcher, registry, name, digest, pem(KEY)) == Verification(verified=True, signatures=2)
    refused = await verified(watcher, registry, name, digest, pem(new_key()))
    assert (refused.verified, refused.why) == (False, "the signature was not made with this key")


async def test_a_signature_of_another_digest_put_beside_this_one_does_not_hold(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    name = f"signed/{unique}"
    good = await push_image(registry, name, "1.0")
    bad = await push_image(registry, name, "evil", created="2026-05-05T00:00:00Z")
    payload = simple_payload(good)
    await signing.sign_simply(registry, name, bad, (payload, signature(KEY, payload)))
    await signing.sign_with_bundles(registry, name, bad, bundle(KEY, statement(good)))
    refused = await verified(watcher, registry, name, bad, pem(KEY))
    assert (refused.verified, refused.why, refused.signatures) == (False, f"the signature is for {good}", 2)


async def test_a_bundle_is_found_by_the_tag_that_lists_what_refers_to_the_image(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    name = f"signed/{unique}"
    digest = await push_image(registry, name, "1.0")
    attested = bundle(KEY, statement(digest, "https://slsa.dev/provenance/v1"))
    await signing.sign_with_bundles(registry, name, digest, attested)
    refused = await verified(watcher, registry, name, digest, pem(KEY))
    assert (refused.verified, "not that it is signed" in refused.why) == (False, True)
    await signing.sign_with_bundles(registry, name, digest, attested, bundle(KEY, statement(digest)))
    assert (await verified(watcher, registry, name, digest, pem(KEY))).verified


async def test_what_nobody_signed_is_not_verified(watcher: Watcher, registry: RunningRegistry, unique: str) -> None:
    digest = await push_image(registry, f"signed/{unique}", "1.0")
    answer = await verified(watcher, registry, f"signed/{unique}", digest, pem(KEY))
    assert (answer.verified, answer.why) == (False, f"{digest} has no signatures")


async def test_a_registry_that_does_not_answer_is_no_verdict(watcher: Watcher) -> None:
    with pytest.raises(RequestError) as failure:
        await watcher.bus.request(VerifyImage(image="127.0.0.1:1/acme/web", digest=DIGEST, key=pem(KEY)))
    assert failure.value.retriable


def ed25519_pem() -> str:
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*form).decode()


@pytest.mark.parametrize("key", ["", "nonsense", pem(KEY)[:60], "PRIVATE", ed25519_pem()])
async def test_only_public_ecdsa_keys_are_taken(watcher: Watcher, registry: RunningRegistry, key: str) -> None:
    answer = await verified(watcher, registry, "signed/any", DIGEST, key)
    assert not answer.verified
    assert answer.why.startswith("the key is")


@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [
        (ec.SECP256R1(), hashes.SHA256()),
        (ec.SECP384R1(), hashes.SHA256()),
        (ec.SECP384R1(), hashes.SHA384()),
        (ec.SECP521R1(), hashes.SHA512()),
    ],
)
def test_each_curve_with_the_hashes_that_signers_use(curve: ec.EllipticCurve, algorithm: hashes.HashAlgorithm) -> None:
    key = new_key(curve)
    check_bundle(bundle(key, statement(DIGEST), algorithm), key.public_key(), DIGEST)
    payload = simple_payload(DIGEST)
    check_simple(payload, signature(key, payload, algorithm), key.public_key(), DIGEST)


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_no_bit_of_a_payload_may_change(place: int, bit: int) -> None:
    payload = simple_payload(DIGEST)
    changed = bytearray(payload)
    changed[place % len(payload)] ^= 1 << bit
    with pytest.raises(NotSigned):
        check_simple(bytes(changed), signature(KEY, payload), KEY.public_key(), DIGEST)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        simple_payload(ELSE),
        orjson.dumps({"critical": {"image": {"docker-manifest-digest": DIGEST}, "type": "something else"}}),
        orjson.dumps({"critical": [], "docker-manifest-digest": DIGEST}),
    ],
)
def test_what_is_signed_must_be_an_image_signature_of_the_digest(payload: bytes) -> None:
    with pytest.raises(NotSigned):
        check_simple(payload, signature(KEY, payload), KEY.public_key(), DIGEST)


@given(st.binary(max_size=200))
def test_garbage_is_no_signature(garbage: bytes) -> None:
    with pytest.raises(NotSigned):
        check_bundle(garbage, KEY.public_key(), DIGEST)
    with pytest.raises(NotSigned):
        check_bundle(bundle(KEY, garbage), KEY.public_key(), DIGEST)
