"""The same repository, however its URL is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kinds.secrets import normalise_url, same_repository

SAME = [
    "https://git.example.org/Org/app",
    "https://git.example.org/Org/app.git",
    "https://GIT.example.org/Org/app/",
    "http://git.example.org:80/Org/app",
    "https://user:secret@git.example.org:443/Org/app.git",
    "ssh://git@git.example.org/Org/app.git",
    "ssh://git@git.example.org:22/Org/app",
    "git@git.example.org:Org/app.git",
    "git.example.org:Org/app",
    "git://git.example.org/Org/app",
    "  https://git.example.org/Org/app  ",
]


@pytest.mark.parametrize("url", SAME)
def test_all_ways_to_write_it_have_one_name(url: str) -> None:
    assert normalise_url(url) == "git.example.org/Org/app"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8080/apps.git", "127.0.0.1:8080/apps"),
        ("ssh://git@host.example:7999/team/app.git", "host.example:7999/team/app"),
        ("oci://ghcr.io/org/chart", "oci://ghcr.io/org/chart"),
        ("file:///srv/repo.git", "file:///srv/repo"),
        ("https://host.example/a%20b", "host.example/a b"),
        ("", ""),
    ],
)
def test_other_ports_and_schemes_stay_apart(url: str, name: str) -> None:
    assert normalise_url(url) == name


@pytest.mark.parametrize(
    ("announced", "configured", "same"),
    [
        ("https://git.example.org/org/app", "git@git.example.org:org/app.git", True),
        ("https://git.example.org/Org/App", "https://git.example.org/org/app", True),
        ("https://git.example.org/org/app", "ssh://git@git.example.org:7999/org/app", True),
        ("https://git.example.org/org/app", "https://git.example.org/org/app2", False),
        ("https://git.example.org/org/app", "https://other.example.org/org/app", False),
        ("", "", False),
    ],
)
def test_a_webhooks_url_means_the_repository_whatever_its_form(announced: str, configured: str, *, same: bool) -> None:
    assert same_repository(announced, configured) is same


@given(st.text(max_size=60))
def test_no_text_fails_and_no_name_holds_a_login(text: str) -> None:
    normalise_url(text)
    assert "pw" not in normalise_url("https://user:pw@git.example.org/a")


@given(st.from_regex(r"[a-z]{1,8}\.example/[a-z]{1,8}/[a-z]{1,8}", fullmatch=True))
def test_a_name_written_as_a_url_has_the_same_name(name: str) -> None:
    assert normalise_url(f"https://{name}.git") == normalise_url(f"ssh://git@{name}") == name
