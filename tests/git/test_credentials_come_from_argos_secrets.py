"""Repository Secrets, credential templates and certificates become the access of an address."""

import base64

from services.git_watcher.usage import Usage, Use, uses_of
from shared.git.credentials import KnownCredentials
from shared.git.github_app import GitHubApp
from shared.security import Secret, redact

URL = "https://git.example.com/team/apps.git"


def secret(kind: str, **texts: str) -> dict[str, object]:
    labels = {"argocd.argoproj.io/secret-type": kind}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in texts.items()}
    return {"metadata": {"namespace": "argocd", "name": "s", "labels": labels}, "data": data}


def known(*secrets: dict[str, object]) -> KnownCredentials:
    credentials = KnownCredentials()
    for number, each in enumerate(secrets):
        credentials.put(("argocd", f"s{number}"), each)
    return credentials


def test_a_repository_secret_gives_its_login_and_trust() -> None:
    texts = {"url": URL, "username": "ada", "password": "a-pass-word", "insecure": "true", "proxy": "http://proxy:3128"}
    access = known(secret("repository", **texts, noProxy="10.0.0.0/8")).lookup(URL.removesuffix(".git"), "default")
    assert (access.username, access.password) == ("ada", Secret("a-pass-word"))
    assert (access.insecure, access.proxy, access.no_proxy) == (True, "http://proxy:3128", "10.0.0.0/8")
    assert redact("it is a-pass-word") == "it is ***"


def test_a_template_serves_what_lies_below_it() -> None:
    template = secret("repo-creds", url="https://git.example.com/team", bearerToken="t0ken-of-team")
    registered = secret("repository", url=URL, insecure="true")
    access = known(template, registered).lookup(URL, "default")
    assert (access.token, access.insecure) == (Secret("t0ken-of-team"), True)
    assert not known(template).lookup("https://git.example.com/other/apps", "default").has_credentials


def test_secrets_of_another_project_do_not_count() -> None:
    credentials = known(secret("repository", url=URL, username="ada", password="secret1", project="red"))
    assert credentials.lookup(URL, "red").has_credentials
    assert not credentials.lookup(URL, "blue").has_credentials


def test_keys_certificates_and_apps_are_taken_over() -> None:
    ssh = "ssh://git@git.example.com/team/apps.git"
    credentials = known(
        secret("repository", url=ssh, sshPrivateKey="a key", insecureIgnoreHostKey="true"),
        secret(
            "repository", url=URL, githubAppID="1", githubAppInstallationID="2", githubAppPrivateKey="pem", depth="1"
        ),
    )
    credentials.authorities = {"git.example.com": "PEM"}
    over_ssh, over_https = credentials.lookup(ssh, "default"), credentials.lookup(URL, "default")
    assert (over_ssh.ssh_key, over_ssh.insecure) == (Secret("a key"), True)
    assert over_https.app == GitHubApp("1", Secret("pem"), "2", "")
    assert (over_https.authorities, over_https.depth, over_https.insecure) == ("PEM", 1, False)


def test_a_secret_of_its_own_goes_before_all_others_and_trusts_nobody_by_itself() -> None:
    credentials = known(secret("repository", url=URL, username="ada", password="a-pass-word", insecure="true"))
    credentials.authorities = {"git.example.com": "PEM"}
    own = secret("", username="bot", password="b-pass-word")
    access = credentials.lookup_with(URL, own)
    assert (access.username, access.password, access.insecure) == ("bot", Secret("b-pass-word"), False)
    assert access.authorities == "PEM"
    keys = {"sshPrivateKey": "KEY", "githubAppID": "7", "githubAppPrivateKey": "PEM"}
    access = credentials.lookup_with("git@git.example.com:team/apps.git", secret("", **keys))
    assert (access.ssh_key, access.app) == (Secret("KEY"), GitHubApp("7", Secret("PEM")))


def test_a_login_in_the_address_counts_last() -> None:
    written = "https://ada:from-the-url@git.example.com/team/apps.git"
    assert known().lookup(written, "").password == Secret("from-the-url")
    stored = known(secret("repository", url=URL, username="ada", password="from-the-secret"))
    assert stored.lookup(written, "").password == Secret("from-the-secret")


def test_a_secret_that_is_removed_or_unreadable_is_left_out() -> None:
    credentials = known(secret("repository", url=URL, username="ada", password="word-of-ada"))
    credentials.put(("argocd", "s0"), None)
    assert not credentials.lookup(URL, "").has_credentials
    broken = secret("repository", url=URL)
    broken["data"] = {"url": "%%%"}
    credentials.put(("argocd", "s0"), broken)
    assert credentials.repositories() == ()


def test_an_application_uses_git_but_not_charts() -> None:
    git = {"repoURL": URL, "targetRevision": "main", "path": "x"}
    chart = {"repoURL": "https://charts.example.com", "chart": "nginx", "targetRevision": "1.*"}
    artifact = {"repoURL": "oci://registry.example.com/apps", "targetRevision": "1"}
    spec = {"project": "red", "sources": [git, chart, artifact, {"repoURL": URL, "ref": "values"}]}
    assert uses_of(spec) == {Use(URL, "main", "red"), Use(URL, "HEAD", "red")}
    hydrated = {"sourceHydrator": {"drySource": git, "syncSource": {"targetBranch": "env"}}}
    assert Use(URL, "env", "default") in uses_of(hydrated)


def test_usage_is_counted_by_repository() -> None:
    usage = Usage()
    assert usage.put(("argocd", "one"), [Use(URL, "main")]) == {"git.example.com/team/apps"}
    assert usage.put(("argocd", "two"), [Use("git@git.example.com:team/apps.git", "v1")]) == set()
    assert usage.targets("git.example.com/team/apps") == {"main", "v1"}
    usage.put(("argocd", "one"), [])
    assert usage.targets("git.example.com/team/apps") == {"v1"}
    usage.put(("argocd", "two"), ())
    assert usage.repositories() == ()
