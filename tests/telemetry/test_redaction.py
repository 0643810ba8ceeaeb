"""Secrets are taken out of text, whatever carries them; ordinary text stays as it is."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security import Secret, forget, hmac_equal, hmac_hex, redact, register


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:pass@git.example.com/a.git refused", "https://***@git.example.com/a.git refused"),
        ("https://ghs_short@github.com/a", "https://***@github.com/a"),
        ("two https://a:b@c/d and nats://u:p@h:4222", "two https://***@c/d and nats://***@h:4222"),
        ("https://a:p@ss@host/x", "https://***@host/x"),
        ("ssh://git@host:22/a.git", "ssh://git@host:22/a.git"),
        ("ssh://git:secret@host/a.git", "ssh://***@host/a.git"),
        ("git@github.com:acme/shop.git", "git@github.com:acme/shop.git"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer ***"),
        ("basic dXNlcjpwYXNz", "basic ***"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123", "***"),
        ("github_pat_11AAAAAAA0abcdefghijkl", "***"),
        ("glpat-abcdefghijklmnop", "***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def_ghi", "***"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        ("k8s-aws-v1.aHR0cHM6Ly9zdHM-_", "***"),
        ("password=hunter22&x=1", "password=***&x=1"),
        ('{"clientSecret": "hunter22", "a": 1}', '{"clientSecret": "***", "a": 1}'),
        ("api-key: hunter22", "api-key: ***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- end", "*** end"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\ncut off", "***"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, expected: str) -> None:
    assert redact(text) == expected
    assert redact(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "revision 0123456789abcdef0123456789abcdef01234567 of https://github.com/acme/shop.git",
        'secrets "argocd-secret" not found',
        "the basic idea: tokens are split at dots",
        "deployment.apps/guestbook-ui configured",
        "mail ada@example.com about https://example.com/?q=a@b",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_registered_values_are_masked_in_every_form() -> None:
    value = "s3cr3t/value with+more"
    register(value, "tiny")
    try:
        forms = (value, quote(value, safe=""), base64.b64encode(value.encode()).decode())
        assert [redact(f"<{form}>") for form in forms] == ["<***>"] * 3
        assert redact("a tiny word") == "a tiny word"
    finally:
        forget(value)
    assert redact(value) == value


def test_of_two_registered_values_the_longer_goes_first() -> None:
    register("longer-secret", "longer-secret-still")
    try:
        assert redact("longer-secret-still") == "***"
    finally:
        forget("longer-secret", "longer-secret-still")


@given(st.text(max_size=200))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_a_secret_prints_itself_nowhere() -> None:
    secret = Secret("hunter22")
    assert "hunter22" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter22"
    assert not Secret("")


def test_comparisons_take_any_text() -> None:
    assert hmac_equal("ü", "ü")
    assert not hmac_equal("a", "b")
    assert not hmac_equal("a", b"\xff".decode("utf-8", "surrogateescape"))
    assert hmac_hex(Secret("key"), b"body", "sha1") == "70bbf6819d1037aa94ca7e7f537cbea25fe49283"
