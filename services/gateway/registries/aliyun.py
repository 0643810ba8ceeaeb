"""Alibaba Cloud's registry: like Docker Hub's, with a digest and a region. Where it is comes from the region alone."""

import re

from pydantic import Field

from services.gateway.registries.pushed import Place, Received, delivery_of, hook
from services.gateway.webhooks.payload import Ignored, Payload, shaped
from shared.events import RegistryHook

_REGION = re.compile(r"[a-z0-9-]{1,40}")


class PushData(Payload):
    tag: str = Field(min_length=1)
    digest: str | None = None


class Repository(Payload):
    repo_full_name: str = Field(min_length=1)
    region: str | None = None


class Push(Payload):
    push_data: PushData
    repository: Repository


def recognise(received: Received) -> bool:
    document = received.document
    repository = document.get("repository") if isinstance(document, dict) and "push_data" in document else None
    return isinstance(repository, dict) and "repo_full_name" in repository


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    push = shaped(Push, received.document)
    region = push.repository.region or ""
    host = f"registry.{region}.aliyuncs.com" if _REGION.fullmatch(region) else ""
    given = delivery_of("", received.body)
    place = Place(host, push.repository.repo_full_name)
    return (hook("aliyun-acr", place, delivery=given, tag=push.push_data.tag, digest=push.push_data.digest),)
