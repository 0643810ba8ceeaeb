"""Pushes as each registry documents them, for a repository `acme/<name>` and its tag 1.2.0."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

SECRET = "correct horse battery"
DIGEST = "sha256:" + "ab" * 32
Sign = Callable[[bytes, str], dict[str, str]]


class Push(NamedTuple):
    """`sign` gives headers; `query` where the secret goes into the address, `places` what the hooks must name."""

    type: str
    body: dict[str, Any]
    places: tuple[tuple[str, str], ...]
    digest: str = DIGEST
    headers: Mapping[str, str] = MappingProxyType({})
    key: str = ""
    sign: Sign | None = None


def in_header(name: str, prefix: str = "") -> Sign:
    return lambda _body, secret: {name: f"{prefix}{secret}"}


def signed(name: str, algorithm: str, prefix: str = "") -> Sign:
    return lambda body, secret: {name: prefix + hmac.new(secret.encode(), body, algorithm).hexdigest()}


def distribution(name: str) -> Push:
    target = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "size": 708,
        "digest": DIGEST,
        "length": 708,
        "repository": f"acme/{name}",
        "url": f"http://registry.example.com:5000/v2/acme/{name}/manifests/{DIGEST}",
    }
    request = {"id": "6df24a34", "addr": "192.168.64.11:42961", "host": "registry.example.com:5000", "method": "PUT"}
    common = {"timestamp": "2026-11-23T13:00:00.000000001Z", "request": request, "actor": {"name": "ci"}}
    layer = {**target, "mediaType": "application/octet-stream"}
    events = [
        {"id": f"layer-{name}", "action": "push", "target": layer, **common},
        {"id": f"tag-{name}", "action": "push", "target": {**target, "tag": "1.2.0"}, **common},
        {"id": f"pull-{name}", "action": "pull", "target": {**target, "tag": "1.2.0"}, **common},
        {
            "id": f"gone-{name}",
            "action": "delete",
            "target": {"repository": f"acme/{name}", "digest": DIGEST},
            **common,
        },
    ]
    return Push(
        "distribution",
        {"events": events},
        (("registry.example.com:5000", f"acme/{name}"),),
        headers={"Content-Type": "application/vnd.docker.distribution.events.v2+json"},
        key="webhook.distribution-secret",
        sign=in_header("Authorization", "Bearer "),
    )


def gitlab(name: str) -> Push:
    same = distribution(name)
    return same._replace(type="gitlab", key="webhook.gitlab-secret", sign=in_header("X-Gitlab-Token"))


def dockerhub(name: str) -> Push:
    body = {
        "callback_url": f"https://registry.hub.docker.com/u/acme/{name}/hook/2141b5bi5i5b02bec211i4eeih0242eg11000a/",
        "push_data": {"pushed_at": 1417566161, "pusher": "ci", "tag": "1.2.0", "images": [], "media_type": "x"},
        "repository": {
            "name": name,
            "namespace": "acme",
            "owner": "acme",
            "repo_name": f"acme/{name}",
            "repo_url": f"https://registry.hub.docker.com/u/acme/{name}/",
            "is_official": False,
            "star_count": 0,
        },
    }
    return Push("docker.io", body, (("docker.io", f"acme/{name}"),), digest="", key="webhook.docker-secret")


def ghcr(name: str) -> Push:
    version = {
        "id": 1,
        "version": DIGEST,
        "container_metadata": {"tag": {"name": "1.2.0", "digest": DIGEST}},
        "package_url": f"ghcr.io/Acme/{name}:1.2.0",
        "updated_at": "2026-11-23T13:00:00Z",
    }
    package = {
        "id": 1,
        "name": name,
        "namespace": "Acme",
        "ecosystem": "CONTAINER",
        "package_type": "CONTAINER",
        "owner": {"login": "Acme", "id": 2},
        "package_version": version,
    }
    return Push(
        "ghcr.io",
        {"action": "published", "registry_package": package, "sender": {"login": "ci"}},
        (("ghcr.io", f"acme/{name}"),),
        headers={"X-GitHub-Event": "registry_package", "X-GitHub-Delivery": f"72d3162e-{name}"},
        key="webhook.ghcr-secret",
        sign=signed("X-Hub-Signature-256", "sha256", "sha256="),
    )


def ghcr_package(name: str) -> Push:
    same = ghcr(name)
    body = {"action": "updated", "package": same.body["registry_package"]}
    return same._replace(body=body, headers={**same.headers, "X-GitHub-Event": "package"})


def quay(name: str) -> Push:
    body = {
        "name": name,
        "repository": f"acme/{name}",
        "namespace": "acme",
        "docker_url": f"quay.io/acme/{name}",
        "homepage": f"https://quay.io/repository/acme/{name}",
        "updated_tags": ["1.2.0"],
    }
    return Push("quay.io", body, (("quay.io", f"acme/{name}"),), digest="", key="webhook.quay-secret")


def harbor_data(name: str) -> dict[str, Any]:
    url = f"harbor.example.com/acme/{name}:1.2.0"
    return {
        "resources": [{"digest": DIGEST, "tag": "1.2.0", "resource_url": url}],
        "repository": {
            "date_created": 1586922308,
            "name": name,
            "namespace": "acme",
            "repo_full_name": f"acme/{name}",
            "repo_type": "private",
        },
    }


def harbor(name: str) -> Push:
    body = {"type": "PUSH_ARTIFACT", "occur_at": 1586922308, "operator": "ci", "event_data": harbor_data(name)}
    return Push(
        "harbor",
        body,
        (("harbor.example.com", f"acme/{name}"),),
        key="webhook.harbor-secret",
        sign=in_header("Authorization"),
    )


def harbor_cloudevent(name: str) -> Push:
    body = {
        "specversion": "1.0",
        "id": f"event-{name}",
        "source": "/projects/1/webhook/policies/15",
        "type": "harbor.artifact.pushed",
        "datacontenttype": "application/json",
        "time": "2026-11-23T13:00:00Z",
        "data": harbor_data(name),
        "operator": "ci",
    }
    return Push(
        "cloudevents",
        body,
        (("harbor.example.com", f"acme/{name}"),),
        key="webhook.cloudevents-secret",
        sign=in_header("X-Webhook-Secret"),
    )


def ecr_cloudevent(name: str) -> Push:
    body = {
        "specversion": "1.0",
        "id": f"event-{name}",
        "type": "com.amazon.ecr.push",
        "source": f"urn:aws:ecr:eu-west-1:123456789012:repository/acme/{name}",
        "subject": f"acme/{name}:1.2.0",
        "time": "2026-11-23T13:00:00Z",
        "data": {
            "repositoryName": f"acme/{name}",
            "imageDigest": DIGEST,
            "imageTag": "1.2.0",
            "registryId": "123456789012",
        },
    }
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    return Push("cloudevents", body, ((host, f"acme/{name}"),), key="webhook.cloudevents-secret")


def binary_cloudevent(name: str) -> Push:
    headers = {"ce-specversion": "1.0", "ce-type": "com.example.pushed", "ce-id": f"event-{name}", "ce-source": "/ci"}
    body = {"image": f"registry.example.com:5000/acme/{name}:1.2.0@{DIGEST}"}
    places = (("registry.example.com:5000", f"acme/{name}"),)
    return Push("cloudevents", body, places, headers=headers, key="webhook.cloudevents-secret")


def acr(name: str) -> Push:
    body = {
        "id": f"cb8c3971-{name}",
        "timestamp": "2026-11-23T13:00:00.0000000Z",
        "action": "push",
        "target": {
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "size": 524,
            "digest": DIGEST,
            "length": 524,
            "repository": f"acme/{name}",
            "tag": "1.2.0",
        },
        "request": {"id": "3cbb6949", "host": "acme.azurecr.io", "method": "PUT", "useragent": "docker/18"},
    }
    return Push(
        "acr", body, (("acme.azurecr.io", f"acme/{name}"),), key="webhook.acr-secret", sign=in_header("Authorization")
    )


def ecr(name: str) -> Push:
    body = {
        "version": "0",
        "id": f"13cde686-{name}",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": "123456789012",
        "time": "2026-11-23T13:00:00Z",
        "region": "us-west-2",
        "resources": [],
        "detail": {
            "result": "SUCCESS",
            "repository-name": f"acme/{name}",
            "image-digest": DIGEST,
            "action-type": "PUSH",
            "image-tag": "1.2.0",
        },
    }
    host = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
    return Push("ecr", body, ((host, f"acme/{name}"),), key="webhook.ecr-secret", sign=in_header("X-Webhook-Secret"))


def jfrog(name: str) -> Push:
    body = {
        "domain": "docker",
        "event_type": "pushed",
        "data": {
            "repo_key": "docker-local",
            "event_type": "pushed",
            "path": f"acme/{name}/1.2.0/manifest.json",
            "name": "manifest.json",
            "sha256": DIGEST.removeprefix("sha256:"),
            "size": 1206,
            "image_name": f"acme/{name}",
            "tag": "1.2.0",
            "platforms": [{"architecture": "amd64", "os": "linux"}],
        },
        "subscription_key": "test",
        "jpd_origin": "https://acme.jfrog.io",
        "source": "jfrog/ci",
    }
    places = (("acme.jfrog.io", f"docker-local/acme/{name}"), ("docker-local.acme.jfrog.io", f"acme/{name}"))
    return Push("jfrog", body, places, key="webhook.jfrog-secret", sign=signed("X-JFrog-Event-Auth", "sha256"))


def jfrog_with_the_secret_itself(name: str) -> Push:
    return jfrog(name)._replace(sign=in_header("X-JFrog-Event-Auth"))


def nexus(name: str) -> Push:
    component = {"id": "1", "componentId": "bWF2ZW4", "format": "docker", "name": f"acme/{name}", "version": "1.2.0"}
    body = {
        "timestamp": "2026-11-23T13:00:00.000+00:00",
        "nodeId": "7FFA7361",
        "initiator": "ci/127.0.0.1",
        "repositoryName": "docker-hosted",
        "action": "CREATED",
        "component": component,
    }
    return Push(
        "nexus",
        body,
        (("", f"acme/{name}"), ("", f"docker-hosted/acme/{name}")),
        digest="",
        headers={"X-Nexus-Webhook-Id": "rm:repository:component", "X-Nexus-Webhook-Delivery": f"7f4a6dde-{name}"},
        key="webhook.nexus-secret",
        sign=signed("X-Nexus-Webhook-Signature", "sha1"),
    )


def aliyun(name: str) -> Push:
    body = {
        "push_data": {"digest": DIGEST, "pushed_at": "2026-11-23 13:00:00", "tag": "1.2.0"},
        "repository": {
            "date_created": "2026-10-28 21:31:42",
            "name": name,
            "namespace": "acme",
            "region": "cn-hangzhou",
            "repo_authentication_type": "NO_CERTIFIED",
            "repo_full_name": f"acme/{name}",
            "repo_origin_type": "NO_CERTIFIED",
            "repo_type": "PUBLIC",
        },
    }
    host = "registry.cn-hangzhou.aliyuncs.com"
    return Push("aliyun-acr", body, ((host, f"acme/{name}"),), key="webhook.aliyun-acr-secret")


def gcr(name: str) -> Push:
    where = f"europe-docker.pkg.dev/acme/{name}/web"
    data = json.dumps({"action": "INSERT", "digest": f"{where}@{DIGEST}", "tag": f"{where}:1.2.0"})
    message = {
        "data": base64.b64encode(data.encode()).decode(),
        "messageId": f"136969346945-{name}",
        "publishTime": "2026-11-23T13:00:00.000Z",
        "attributes": {},
    }
    body = {"message": message, "subscription": "projects/acme/subscriptions/tiphys"}
    return Push("gcr", body, (("europe-docker.pkg.dev", f"acme/{name}/web"),))


SAMPLES = (
    distribution,
    dockerhub,
    ghcr,
    ghcr_package,
    quay,
    harbor,
    harbor_cloudevent,
    ecr_cloudevent,
    binary_cloudevent,
    acr,
    ecr,
    jfrog,
    jfrog_with_the_secret_itself,
    nexus,
    aliyun,
)
ALL = (*SAMPLES, gcr, gitlab)
