"""Argo CD's Secrets are read whole, chosen by URL and project, and never show what is secret."""

import base64
import json
import logging
from typing import Any

import pytest

from shared.kinds.secrets import (
    ClusterSecret,
    InvalidSecret,
    RepositoryCredentials,
    RepositorySecret,
    credentials_for,
    match_credentials,
    secret_type,
)

Obj = dict[str, Any]
CANARY = "canary-7d1f9a"


def secret(kind: str, **texts: str) -> Obj:
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    labels = {"argocd.argoproj.io/secret-type": kind}
    return {"metadata": {"name": "s", "namespace": "argocd", "labels": labels}, "data": data}


def repository(**texts: str) -> RepositorySecret:
    return RepositorySecret.from_secret(secret("repository", **texts))


def template(url: str, **texts: str) -> RepositoryCredentials:
    return RepositoryCredentials.from_secret(secret("repo-creds", url=url, **texts))


SECRET_KEYS = [
    "password",
    "bearerToken",
    "sshPrivateKey",
    "tlsClientCertKey",
    "githubAppPrivateKey",
    "gcpServiceAccountKey",
    "azureServicePrincipalClientSecret",
    "someKeyOfTomorrow",
]


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_a_secret_value_is_never_shown(key: str, caplog: pytest.LogCaptureFixture) -> None:
    found = repository(url="https://git.example.org/a", **{key: CANARY})
    logging.getLogger("test").warning("%s %r", found, found)
    shown = [
        repr(found),
        str(found),
        found.model_dump_json(),
        repr(found.model_dump()),
        str(found.to_wire()),
        caplog.text,
    ]
    assert not any(CANARY in text for text in shown)


def test_a_proxy_or_url_with_a_password_is_not_printed() -> None:
    found = repository(url=f"https://u:{CANARY}@git.example.org/a", proxy=f"http://u:{CANARY}@proxy:3128")
    assert CANARY not in repr(found)


def test_texts_lose_the_line_end_that_nobody_meant_except_in_keys() -> None:
    found = repository(url="https://git.example.org/a\n", password="hunter2\n", sshPrivateKey="-----\nkey\n-----\n")
    assert found.url == "https://git.example.org/a"
    assert found.password.reveal() == "hunter2"
    assert found.ssh_private_key.reveal().endswith("-----\n")


def test_every_field_of_a_repository_is_read() -> None:
    found = repository(
        url="https://git.example.org/a",
        type="helm",
        name="charts",
        project="team",
        username="u",
        githubAppID="1",
        githubAppInstallationID="2",
        githubAppEnterpriseBaseUrl="https://ghe",
        enableOCI="true",
        insecure="true",
        insecureOCIForceHttp="true",
        enableLfs="true",
        forceHttpBasicAuth="false",
        depth="1",
        noProxy="a,b",
    )
    assert (found.type, found.name, found.project, found.depth) == ("helm", "charts", "team", 1)
    assert (found.github_app_id, found.github_app_installation_id) == ("1", "2")
    assert found.enable_oci
    assert found.insecure_oci_force_http
    assert found.skips_host_key_check
    assert not found.force_http_basic_auth
    assert found.no_proxy == "a,b"


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (secret("repository"), "Secret argocd/s has no url"),
        (secret("repository", url="https://x", depth=CANARY), "Secret argocd/s: these keys can't be read: depth"),
        ({**secret("repository"), "data": {"url": "%%%"}}, "Secret argocd/s: key url is no base64 of a UTF-8 text"),
    ],
)
def test_a_secret_that_cannot_be_used_names_its_key_only(obj: Obj, message: str) -> None:
    with pytest.raises(InvalidSecret) as caught:
        RepositorySecret.from_secret(obj)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (f'{{"password": "{CANARY}"', "key config is no JSON"),
        (f'["{CANARY}"]', "key config is no JSON object"),
        (f'{{"bearerToken": ["{CANARY}"]}}', "these keys can't be read: bearerToken"),
    ],
)
def test_a_cluster_config_that_cannot_be_read_shows_nothing_of_it(config: str, message: str) -> None:
    with pytest.raises(InvalidSecret, match=message) as caught:
        ClusterSecret.from_secret(secret("cluster", server="https://a", config=config))
    assert CANARY not in str(caught.value)


def test_a_cluster_is_read_whole() -> None:
    config = {
        "bearerToken": CANARY,
        "tlsClientConfig": {"insecure": False, "serverName": "api", "caData": "Q0E=", "keyData": CANARY},
        "execProviderConfig": {"command": "aws", "args": ["eks"], "env": {"TOKEN": CANARY}, "apiVersion": "v1"},
        "proxyUrl": f"http://u:{CANARY}@proxy",
    }
    found = ClusterSecret.from_secret(
        secret(
            "cluster",
            server="https://a:6443/",
            namespaces="a, b",
            clusterResources="true",
            shard="3",
            project="team",
            config=json.dumps(config),
        )
    )
    assert (found.server, found.name) == ("https://a:6443", "https://a:6443")
    assert (found.namespaces, found.cluster_resources, found.shard) == (("a", "b"), True, 3)
    assert found.config.bearer_token.reveal() == CANARY
    assert found.config.tls_client_config.ca_data == "Q0E="
    assert CANARY not in repr(found)


def test_the_longest_prefix_gives_the_credentials() -> None:
    templates = [template("https://git.example.org"), template("https://git.example.org/org"), template("git@h:org")]
    found = match_credentials("https://git.example.org/org/app.git", templates)
    assert found is templates[1]
    assert match_credentials("git@h:org/app", templates) is templates[2]
    assert match_credentials("https://elsewhere.example.org/x", templates) is None


def test_a_projects_own_secret_is_for_that_project_only() -> None:
    url = "https://git.example.org/a"
    common, own = repository(url=url, password="common"), repository(url=url, password="own", project="team")
    assert credentials_for(url, [common, own], [], "team").credentials is own
    assert credentials_for(url, [common, own], [], "other").credentials is common
    assert credentials_for(url, [own], [], "other") == (None, None)


def test_a_repository_without_login_borrows_it_from_its_prefix() -> None:
    url = "https://git.example.org/a"
    bare, prefix = repository(url=url, insecure="true"), template("https://git.example.org", password="p")
    assert credentials_for(f"{url}.git", [bare], [prefix]) == (bare, prefix)
    assert credentials_for(url, [bare], []) == (bare, bare)


def test_the_label_says_what_a_secret_is() -> None:
    assert secret_type(secret("repo-creds")) == "repo-creds"
    assert secret_type({"metadata": {}}) == ""
