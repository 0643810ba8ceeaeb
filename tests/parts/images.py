"""Images for a real registry: of one platform, of several, with the dates and labels that a test wants."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from tests.parts.registry import RunningRegistry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
TAR = "application/vnd.oci.image.layer.v1.tar"
Json = dict[str, Any]


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


async def push_image(
    registry: RunningRegistry,
    name: str,
    reference: str,
    *,
    created: str = "2026-01-01T00:00:00Z",
    platform: str = "linux/amd64",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> str:
    """One image of one platform under a tag, or under its digest when `reference` is empty."""
    os, architecture, *variant = platform.split("/")
    config: Json = {
        "os": os,
        "architecture": architecture,
        "created": created,
        "config": {"Labels": dict(labels or {})},
    }
    config |= {"variant": variant[0]} if variant else {}
    manifest: Json = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": await _described(registry, name, orjson.dumps(config), CONFIG),
        "layers": [await _described(registry, name, b"layer", LAYER)],
    }
    manifest |= {"annotations": dict(annotations)} if annotations else {}
    return await put(registry, name, reference, orjson.dumps(manifest), MANIFEST)


async def push_archive(registry: RunningRegistry, name: str, tag: str, saved: bytes, labels: Mapping[str, str]) -> str:
    """What `docker save` wrote, under a tag: an image that a node can run."""
    with tarfile.open(fileobj=io.BytesIO(saved)) as tar:
        parts = {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar.getmembers()}
    [described] = orjson.loads(parts["manifest.json"])
    config: Json = orjson.loads(parts[described["Config"]])
    config["config"]["Labels"] = dict(labels)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": await _described(registry, name, orjson.dumps(config), CONFIG),
        "layers": [await _described(registry, name, parts[layer], TAR) for layer in described["Layers"]],
    }
    return await put(registry, name, tag, orjson.dumps(manifest), MANIFEST)


async def push_index(registry: RunningRegistry, name: str, tag: str, images: Mapping[str, str]) -> str:
    """An index of images by platform, with an attestation beside them as build tools make one."""
    attestation = await push_image(registry, name, "", created="2030-01-01T00:00:00Z", platform="unknown/unknown")
    entries = [_entry(platform, digest) for platform, digest in {**images, "unknown/unknown": attestation}.items()]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return await put(registry, name, tag, orjson.dumps(index), INDEX)


async def put(registry: RunningRegistry, name: str, reference: str, manifest: bytes, media_type: str) -> str:
    """A manifest as it is; gives its digest."""
    digest = digest_of(manifest)
    url = f"http://{registry.host}/v2/{name}/manifests/{reference or digest}"
    async with (
        aiohttp.ClientSession(headers=registry.headers) as client,
        client.put(url, data=manifest, headers={"Content-Type": media_type}) as response,
    ):
        assert response.status == 201, await response.text()
    return digest


async def push_blob(registry: RunningRegistry, name: str, data: bytes) -> str:
    async with aiohttp.ClientSession(headers=registry.headers) as client:
        return await registry.blob(client, name, data)


async def _described(registry: RunningRegistry, name: str, data: bytes, media_type: str) -> Json:
    return {"mediaType": media_type, "digest": await push_blob(registry, name, data), "size": len(data)}


def _entry(platform: str, digest: str) -> Json:
    os, architecture, *variant = platform.split("/")
    given = {"os": os, "architecture": architecture} | ({"variant": variant[0]} if variant else {})
    return {"mediaType": MANIFEST, "digest": digest, "size": 1, "platform": given}
