"""Pushes as each provider documents them, cut to what they say about a push, for a repository `acme/<name>`."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, NamedTuple

OLD, NEW, NOTHING = "a" * 40, "b" * 40, "0" * 40
Sign = Callable[[bytes, str], dict[str, str]]


class Sample(NamedTuple):
    provider: str
    headers: dict[str, str]
    body: dict[str, Any]
    urls: tuple[str, ...]
    changed: tuple[str, ...] | None
    settings: dict[str, str]  # keys of argocd-secret that hold SECRET
    sign: Sign


SECRET = "correct horse battery"
FILES = {"added": ["apps/new.yaml"], "removed": ["apps/old.yaml"], "modified": ["apps/a.yaml", "README.md"]}
CHANGED = ("README.md", "apps/a.yaml", "apps/new.yaml", "apps/old.yaml")


def digest(algorithm: str, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, algorithm).hexdigest()


def github(name: str) -> Sample:
    commit = {"id": NEW, "message": "Change a\n\nmore", "timestamp": "2026-11-23T13:00:00+01:00", **FILES}
    body = {
        "ref": "refs/heads/main",
        "before": OLD,
        "after": NEW,
        "created": False,
        "deleted": False,
        "forced": False,
        "compare": f"https://github.com/acme/{name}/compare/aaa...bbb",
        "commits": [commit],
        "head_commit": commit,
        "repository": {
            "id": 186853002,
            "full_name": f"acme/{name}",
            "private": True,
            "clone_url": f"https://github.com/acme/{name}.git",
            "ssh_url": f"git@github.com:acme/{name}.git",
            "git_url": f"git://github.com/acme/{name}.git",
            "html_url": f"https://github.com/acme/{name}",
            "pushed_at": 1763899200,
            "default_branch": "main",
        },
        "pusher": {"name": "ada", "email": "ada@example.com"},
        "sender": {"login": "ada", "id": 1},
    }
    urls = (
        f"https://github.com/acme/{name}.git",
        f"git@github.com:acme/{name}.git",
        f"https://github.com/acme/{name}",
        f"git://github.com/acme/{name}.git",
    )
    headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": f"72d3162e-{name}", "X-GitHub-Hook-ID": "1"}
    return Sample(
        "github",
        headers,
        body,
        urls,
        CHANGED,
        {"webhook.github.secret": SECRET},
        lambda data, secret: {"X-Hub-Signature-256": "sha256=" + digest("sha256", data, secret)},
    )


def gitlab(name: str) -> Sample:
    body = {
        "object_kind": "push",
        "event_name": "push",
        "before": OLD,
        "after": NEW,
        "ref": "refs/heads/main",
        "ref_protected": True,
        "checkout_sha": NEW,
        "user_id": 4,
        "user_name": "Ada",
        "project_id": 15,
        "project": {
            "id": 15,
            "name": name,
            "web_url": f"https://gitlab.com/acme/{name}",
            "git_ssh_url": f"git@gitlab.com:acme/{name}.git",
            "git_http_url": f"https://gitlab.com/acme/{name}.git",
            "path_with_namespace": f"acme/{name}",
            "default_branch": "main",
        },
        "commits": [{"id": NEW, "message": "Change a", "timestamp": "2026-11-23T12:00:00+00:00", **FILES}],
        "total_commits_count": 1,
        "repository": {"name": name, "url": f"git@gitlab.com:acme/{name}.git"},
    }
    urls = (
        f"https://gitlab.com/acme/{name}.git",
        f"git@gitlab.com:acme/{name}.git",
        f"https://gitlab.com/acme/{name}",
    )
    headers = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Event-UUID": f"13792a34-{name}"}
    return Sample(
        "gitlab",
        headers,
        body,
        urls,
        CHANGED,
        {"webhook.gitlab.secret": SECRET},
        lambda _data, secret: {"X-Gitlab-Token": secret},
    )


def _gogs_body(name: str) -> dict[str, Any]:
    return {
        "ref": "refs/heads/main",
        "before": OLD,
        "after": NEW,
        "compare_url": f"https://git.example.com/acme/{name}/compare/aaa...bbb",
        "commits": [{"id": NEW, "message": "Change a\n", "timestamp": "2026-11-23T12:00:00Z", **FILES}],
        "repository": {
            "id": 140,
            "full_name": f"acme/{name}",
            "html_url": f"https://git.example.com/acme/{name}",
            "ssh_url": f"ssh://git@git.example.com:2222/acme/{name}.git",
            "clone_url": f"https://git.example.com/acme/{name}.git",
        },
        "pusher": {"id": 1, "login": "ada"},
        "sender": {"id": 1, "login": "ada"},
    }


def _gogs_urls(name: str) -> tuple[str, ...]:
    return (
        f"https://git.example.com/acme/{name}.git",
        f"ssh://git@git.example.com:2222/acme/{name}.git",
        f"https://git.example.com/acme/{name}",
    )


def gogs(name: str) -> Sample:
    headers = {"X-Gogs-Event": "push", "X-Gogs-Delivery": f"f6266f16-{name}"}
    return Sample(
        "gogs",
        headers,
        _gogs_body(name),
        _gogs_urls(name),
        CHANGED,
        {"webhook.gogs.secret": SECRET},
        lambda data, secret: {"X-Gogs-Signature": digest("sha256", data, secret)},
    )


def gitea(name: str) -> Sample:
    headers = {
        "X-Gitea-Event": "push",
        "X-Gitea-Delivery": f"f6266f17-{name}",
        "X-Gogs-Event": "push",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": f"f6266f17-{name}",
    }
    body = _gogs_body(name) | {"total_commits": 1}
    return Sample(
        "gitea",
        headers,
        body,
        _gogs_urls(name),
        CHANGED,
        {"webhook.gogs.secret": SECRET},
        lambda data, secret: {"X-Gitea-Signature": digest("sha256", data, secret)},
    )


def bitbucket(name: str) -> Sample:
    def side(sha: str) -> dict[str, Any]:
        target = {"type": "commit", "hash": sha, "date": "2026-11-23T12:00:00+00:00", "message": "Change a\n"}
        return {"type": "branch", "name": "main", "target": target}

    body = {
        "actor": {"type": "user", "nickname": "ada"},
        "repository": {
            "type": "repository",
            "name": name,
            "full_name": f"acme/{name}",
            "uuid": "{673a6070-3421-46c9-9d48-90745f7bfe8e}",
            "links": {
                "self": {"href": f"https://api.bitbucket.org/2.0/repositories/acme/{name}"},
                "html": {"href": f"https://bitbucket.org/acme/{name}"},
            },
            "is_private": True,
        },
        "push": {
            "changes": [
                {
                    "old": side(OLD),
                    "new": side(NEW),
                    "created": False,
                    "forced": False,
                    "closed": False,
                    "commits": [{"hash": NEW, "type": "commit"}],
                    "truncated": False,
                }
            ]
        },
    }
    urls = (
        f"https://bitbucket.org/acme/{name}",
        f"https://bitbucket.org/acme/{name}.git",
        f"git@bitbucket.org:acme/{name}.git",
    )
    headers = {"X-Event-Key": "repo:push", "X-Hook-UUID": "not-yet", "X-Request-UUID": f"43a2bca8-{name}"}
    return Sample(
        "bitbucket",
        headers,
        body,
        urls,
        None,
        {"webhook.bitbucket.uuid": SECRET},
        lambda _data, secret: {"X-Hook-UUID": secret},
    )


def bitbucketserver(name: str) -> Sample:
    body = {
        "eventKey": "repo:refs_changed",
        "date": "2026-11-23T13:00:00+0100",
        "actor": {"name": "ada", "emailAddress": "ada@example.com", "id": 1},
        "repository": {
            "slug": name,
            "id": 84,
            "name": name,
            "scmId": "git",
            "state": "AVAILABLE",
            "project": {"key": "ACME", "id": 84, "name": "acme", "public": False, "type": "NORMAL"},
            "public": False,
            "links": {
                "clone": [
                    {"href": f"https://bitbucket.example.com/scm/acme/{name}.git", "name": "http"},
                    {"href": f"ssh://git@bitbucket.example.com:7999/acme/{name}.git", "name": "ssh"},
                ],
                "self": [{"href": f"https://bitbucket.example.com/projects/ACME/repos/{name}/browse"}],
            },
        },
        "changes": [
            {
                "ref": {"id": "refs/heads/main", "displayId": "main", "type": "BRANCH"},
                "refId": "refs/heads/main",
                "fromHash": OLD,
                "toHash": NEW,
                "type": "UPDATE",
            }
        ],
    }
    urls = (
        f"https://bitbucket.example.com/scm/acme/{name}.git",
        f"ssh://git@bitbucket.example.com:7999/acme/{name}.git",
        f"https://bitbucket.example.com/projects/ACME/repos/{name}/browse",
    )
    headers = {"X-Event-Key": "repo:refs_changed", "X-Request-Id": f"c3d5e1a0-{name}"}
    return Sample(
        "bitbucketserver",
        headers,
        body,
        urls,
        None,
        {"webhook.bitbucketserver.secret": SECRET},
        lambda data, secret: {"X-Hub-Signature": "sha256=" + digest("sha256", data, secret)},
    )


def azuredevops(name: str) -> Sample:
    body = {
        "subscriptionId": "00000000-0000-0000-0000-000000000000",
        "notificationId": 3,
        "id": f"03c164c2-{name}",
        "eventType": "git.push",
        "publisherId": "tfs",
        "message": {"text": "Ada pushed updates to main."},
        "resource": {
            "commits": [{"commitId": NEW, "comment": "Change a", "url": "https://dev.azure.com/acme/_apis/git"}],
            "refUpdates": [{"name": "refs/heads/main", "oldObjectId": OLD, "newObjectId": NEW}],
            "repository": {
                "id": "278d5cd2-584d-4b63-824a-2ba458937249",
                "name": name,
                "url": f"https://dev.azure.com/acme/_apis/git/repositories/{name}",
                "project": {"id": "6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c", "name": "acme", "state": "wellFormed"},
                "defaultBranch": "refs/heads/main",
                "remoteUrl": f"https://dev.azure.com/acme/acme/_git/{name}",
            },
            "pushedBy": {"displayName": "Ada", "uniqueName": "ada@example.com"},
            "pushId": 14,
            "date": "2026-11-23T12:00:00.1234567Z",
        },
        "resourceVersion": "1.0",
        "createdDate": "2026-11-23T12:00:01Z",
    }
    headers = {"X-Vss-Activityid": "7d2c1ba0", "X-Vss-Subscriptionid": "0"}
    return Sample(
        "azuredevops",
        headers,
        body,
        (f"https://dev.azure.com/acme/acme/_git/{name}",),
        None,
        {"webhook.azuredevops.username": "hooks", "webhook.azuredevops.password": SECRET},
        lambda _data, secret: {"Authorization": "Basic " + base64.b64encode(f"hooks:{secret}".encode()).decode()},
    )


SAMPLES = (github, gitlab, gogs, gitea, bitbucket, bitbucketserver, azuredevops)


def encoded(sample: Sample) -> bytes:
    return json.dumps(sample.body).encode()


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def body_digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
