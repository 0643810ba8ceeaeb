"""Names of images are read as the field reads them, challenges and platforms too; nothing that is read is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from shared.oci.access import Access
from shared.oci.challenge import Challenge, read_challenge, token_url
from shared.oci.errors import Malformed, Refused, UnsupportedAddress
from shared.oci.links import next_page
from shared.oci.manifest import Platform, platform_of, read_config
from shared.oci.reference import image_of, is_repository, is_tag, names_a_host

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "host", "name", "tag", "digest"),
    [
        ("nginx", "docker.io", "library/nginx", "", ""),
        ("nginx:1.27", "docker.io", "library/nginx", "1.27", ""),
        ("acme/web", "docker.io", "acme/web", "", ""),
        ("docker.io/nginx", "docker.io", "library/nginx", "", ""),
        ("index.docker.io/library/nginx", "docker.io", "library/nginx", "", ""),
        ("registry-1.docker.io/acme/web:1", "docker.io", "acme/web", "1", ""),
        ("ghcr.io/acme/web:1.2", "ghcr.io", "acme/web", "1.2", ""),
        ("GHCR.IO/acme/web", "ghcr.io", "acme/web", "", ""),
        ("localhost/web", "localhost", "web", "", ""),
        ("localhost:5000/web:1.0", "localhost:5000", "web", "1.0", ""),
        ("[::1]:5000/web", "[::1]:5000", "web", "", ""),
        (f"acme/web@{DIGEST}", "docker.io", "acme/web", "", DIGEST),
        (f"acme/web:1.0@{DIGEST}", "docker.io", "acme/web", "1.0", DIGEST),
        ("registry.example.com:5000/a/b/c:1", "registry.example.com:5000", "a/b/c", "1", ""),
    ],
)
def test_an_image_is_named_in_full(text: str, host: str, name: str, tag: str, digest: str) -> None:
    found = image_of(text)
    assert (found.repository.host, found.repository.name, found.tag, found.digest) == (host, name, tag, digest)
    assert image_of(str(found.repository)).repository == found.repository


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":1.0",
        "nginx:",
        "nginx@",
        "nginx@sha256:00",
        "Nginx",
        "localhost:5000/app:~1.0",
        "nginx:>=1.0",
        "a b",
        "nginx:1:2",
        "ghcr.io/",
        "../etc/passwd",
        "nginx:$(reboot)",
        f"nginx:{'x' * 129}",
        "x" * 300,
        "http://ghcr.io/a/b",
    ],
)
def test_what_is_no_image_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedAddress):
        image_of(text)


@given(st.text(max_size=60) | st.from_regex(r"[a-z./:@-]{0,30}", fullmatch=True))
def test_any_text_is_an_image_or_refused(text: str) -> None:
    try:
        found = image_of(text)
    except UnsupportedAddress:
        return
    assert is_repository(found.repository.name)
    assert not found.tag or is_tag(found.tag)
    assert names_a_host(str(found.repository))


def test_a_challenge_is_read_whatever_stands_before_it() -> None:
    bearer = 'Bearer realm="https://auth.example.com/token",service="reg",scope="repository:a/b:pull,push"'
    expected = Challenge("bearer", "https://auth.example.com/token", "reg", "repository:a/b:pull,push")
    assert read_challenge(bearer) == expected
    assert read_challenge(f'Negotiate, Basic realm="x, y", {bearer}') == expected
    assert read_challenge('Basic realm="the \\"registry\\""') == Challenge("basic", 'the "registry"')
    assert read_challenge("Negotiate").scheme == "negotiate"
    with pytest.raises(Malformed):
        read_challenge("")


@given(st.text(max_size=200) | st.from_regex(r'([a-z]+ [a-z]+="[a-z:/]*",? ?){0,4}', fullmatch=True))
def test_any_header_is_a_challenge_or_malformed(header: str) -> None:
    try:
        assert read_challenge(header).scheme
    except Malformed:
        assert "=" in header or not any(letter.isascii() and letter.isalpha() for letter in header[:1])


@pytest.mark.parametrize(
    ("registry", "realm", "allowed"),
    [
        ("https://registry-1.docker.io", "https://auth.docker.io/token", True),
        ("https://registry.example.com", "http://auth.example.com/token", False),
        ("https://registry.example.com", "https://10.0.0.1/token", False),
        ("https://registry.example.com", "https://[::1]/token", False),
        ("https://registry.example.com", "https://localhost/token", False),
        ("https://registry.example.com", "https://169.254.169.254/token", False),
        ("https://10.0.0.2", "https://10.0.0.1/token", True),
        ("https://10.0.0.2", "https://169.254.169.254/token", False),
        ("https://localhost:5000", "https://localhost:5001/token", True),
    ],
)
def test_a_token_is_fetched_where_credentials_may_go(registry: str, realm: str, allowed: bool) -> None:
    challenge = Challenge("bearer", realm, "service")
    if not allowed:
        with pytest.raises(Refused):
            token_url(challenge, "repository:a:pull", Access(), URL(registry))
        return
    url = token_url(challenge, "repository:a:pull", Access(), URL(registry))
    assert (url.query["scope"], url.query["service"]) == ("repository:a:pull", "service")


HERE = URL("https://r.example.com/v2/a/tags/list?n=100")


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("", None),
        ('</v2/a/tags/list?last=x&n=100>; rel="next"', "https://r.example.com/v2/a/tags/list?last=x&n=100"),
        ("</x>; rel=next", "https://r.example.com/x"),
        ('<?last=y>; rel="next"', "https://r.example.com/v2/a/tags/list?last=y"),
        ('</first>; rel="first", </second>; title="a, b"; rel="last next"', "https://r.example.com/second"),
        ('</x>; REL="NEXT"', "https://r.example.com/x"),
        ('</x>; rel="prev"', None),
        ('/x; rel="next"', None),
        ('<https://evil.example.com/x>; rel="prev"', None),
    ],
)
def test_the_next_page_is_the_one_that_is_called_so(header: str, target: str | None) -> None:
    found = next_page(header, HERE)
    assert (str(found) if found else None) == target


@given(st.text(max_size=80) | st.from_regex(r'(<[a-z:/?=]*>(; ?rel="?(next|prev)"?)?,? ?){0,4}', fullmatch=True))
def test_any_link_leads_nowhere_or_to_the_same_registry(header: str) -> None:
    try:
        found = next_page(header, HERE)
    except Malformed:
        return
    assert found is None or found.origin() == HERE.origin()


@pytest.mark.parametrize(
    ("image", "wanted", "fits"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/arm/v7", "linux/arm", True),
        ("linux/arm/v7", "linux/arm/v6", False),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("windows/amd64", "linux/amd64", False),
    ],
)
def test_a_platform_fits_when_its_images_run_there(image: str, wanted: str, fits: bool) -> None:
    has, asked = platform_of(image), platform_of(wanted)
    assert has is not None
    assert asked is not None
    assert has.fits(asked) is fits


@pytest.mark.parametrize("text", ["", "linux", "linux/", "/amd64", "a/b/c/d"])
def test_what_is_no_platform_is_none(text: str) -> None:
    assert platform_of(text) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
CONFIG = st.fixed_dictionaries({}, optional=dict.fromkeys(("os", "architecture", "created", "config", "variant"), JSON))


@given(CONFIG)
def test_any_config_is_read_or_malformed(document: dict[str, object]) -> None:
    try:
        config = read_config(document)
    except Malformed as failure:
        assert "is no object" in str(failure)  # noqa: PT017 - either way is right, by what was drawn
        return
    assert isinstance(config.platform, Platform)


def test_labels_are_few_and_short() -> None:
    labels = {f"org.opencontainers.image.x{number}": "y" * 5000 for number in range(100)} | {"other": "z"}
    kept = read_config({"config": {"Labels": labels}}).labels
    assert len(kept) == 30
    assert {len(value) for value in kept.values()} == {1000}
