"""`registries.conf` is read strictly, and a prefix means the whole host."""

import pytest

from shared.oci.reference import image_of
from shared.oci.registries import BadRegistries, read_registries

CONF = """
registries:
- name: Docker Hub
  prefix: docker.io
  api_url: https://registry-1.docker.io
  credentials: pullsecret:argocd/hub
  defaultns: library
  default: true
- name: Google
  prefix: gcr.io
  api_url: https://gcr.io
  ping: false
- name: ECR
  prefix: 123456789012.dkr.ecr.eu-west-1.amazonaws.com
  api_url: https://123456789012.dkr.ecr.eu-west-1.amazonaws.com
  credentials: ext:/scripts/ecr.sh
  credsexpire: 9h
  limit: 5
- name: Ours
  prefix: registry.example.com
  api_url: http://registry.example.com:5000
  insecure: true
  tagsortmode: latest-first
- name: A team of ours
  prefix: registry.example.com/team
  api_url: https://team.example.com
"""


def of(image: str) -> str:
    return read_registries(CONF).of(image_of(image).repository).name


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("nginx", "Docker Hub"),
        ("index.docker.io/acme/web", "Docker Hub"),
        ("gcr.io/acme/web", "Google"),
        ("gcr.io.evil.com/acme/web", ""),
        ("eu.gcr.io/acme/web", ""),
        ("registry.example.com/web", "Ours"),
        ("registry.example.com:5000/web", "Ours"),
        ("registry.example.com/team/web", "A team of ours"),
        ("registry.example.com/teams/web", "Ours"),
        ("registry.example.computer/web", ""),
    ],
)
def test_the_prefix_that_covers_most_counts_and_only_whole_hosts(image: str, name: str) -> None:
    assert of(image) == name


def test_there_is_always_a_rate() -> None:
    registries = read_registries(CONF)
    rates = {name: registries.of(image_of(name).repository).rate for name in ("nginx", "gcr.io/a/b", "quay.io/a/b")}
    assert rates == {"nginx": 10, "gcr.io/a/b": 20, "quay.io/a/b": 20}
    ecr = registries.of(image_of("123456789012.dkr.ecr.eu-west-1.amazonaws.com/a").repository)
    assert (ecr.rate, ecr.credsexpire) == (5, 9 * 3600)


def test_the_default_registry_and_its_namespace_are_meant_by_short_names() -> None:
    conf = "registries:\n- {prefix: r.example.com, api_url: 'https://r.example.com', default: true, defaultns: base}\n"
    registries = read_registries(conf)
    assert str(registries.repository("nginx")) == "r.example.com/base/nginx"
    assert str(registries.repository("acme/web")) == "r.example.com/acme/web"
    assert str(registries.repository("ghcr.io/acme/web")) == "ghcr.io/acme/web"
    assert str(read_registries("").repository("nginx")) == "docker.io/library/nginx"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("registries: 1", "registries"),
        ("- a", "registries.conf"),
        ("registries:\n- {name: x, api_url: 'https://x'}", "prefix"),
        ("registries:\n- {prefix: x, apiurl: 'https://x'}", "apiurl"),
        ("registries:\n- {prefix: x, insecure: 'yes'}", "insecure"),
        ("registries:\n- {prefix: x, limit: -1}", "limit"),
        ("registries:\n- {prefix: x, credsexpire: 9}", "credsexpire"),
        ("registries:\n- {prefix: x, api_url: 'ftp://x'}", "api_url"),
        ("registries:\n- {prefix: x, api_url: 'https://user:hunter2@x'}", "api_url"),
        ("registries:\n- {prefix: x}\n- {prefix: x}", "more than once"),
        ("registries:\n- {prefix: x, default: true}\n- {prefix: z, default: true}", "default"),
        ("registries:\n- {prefix: x, prefix: z}", "line 2"),
        ("registries: [", "line 2"),
    ],
)
def test_what_can_not_be_used_says_where(text: str, problem: str) -> None:
    with pytest.raises(BadRegistries) as refused:
        read_registries(text)
    assert problem in str(refused.value)
    assert "hunter2" not in str(refused.value)
