"""`status.summary.externalURLs`: what an Ingress serves, what annotations name, and nothing that would run."""

from typing import Any

import pytest

from services.reconciler.links import external_urls, harmless

Obj = dict[str, Any]


def ingress(annotations: Obj | None = None, status: Obj | None = None, **spec: Any) -> Obj:
    return {"kind": "Ingress", "metadata": {"annotations": annotations}, "spec": spec, "status": status}


def rule(host: str | None, *paths: str) -> Obj:
    return {"host": host, "http": {"paths": [{"path": path} for path in paths]}}


@pytest.mark.parametrize(
    ("obj", "urls"),
    [
        (ingress(rules=[rule("a.example.org", "/", "/x*")]), ("http://a.example.org/", "http://a.example.org/x")),
        (ingress(rules=[rule("a.example.org", "/")], tls=[{"hosts": ["a.example.org"]}]), ("https://a.example.org/",)),
        (ingress(rules=[rule("a.example.org", "")], tls=[{"secretName": "cert"}]), ("https://a.example.org",)),
        (ingress(rules=[rule("a", "/")], tls=[{"hosts": ["b"]}]), ("http://a/",)),
        (
            ingress(rules=[rule(None, "/")], status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}),
            ("http://192.0.2.1/",),
        ),
        (ingress(rules=[rule(None, "/")]), ()),
        (ingress({"argocd.argoproj.io/ignore-default-links": "true"}, rules=[rule("a", "/")]), ()),
        (ingress(rules="nonsense", tls=7), ()),
        (
            {"kind": "ConfigMap", "metadata": {"annotations": {"link.argocd.argoproj.io/a": "https://x"}}},
            ("https://x",),
        ),
        ({"kind": "ConfigMap", "metadata": {"annotations": {"link.argocd.argoproj.io/a": "javascript:alert(1)"}}}, ()),
        ({"kind": "Service", "spec": {"type": "LoadBalancer"}, "metadata": {}}, ()),
    ],
)
def test_an_object_s_addresses(obj: Obj, urls: tuple[str, ...]) -> None:
    assert external_urls(obj) == urls


@pytest.mark.parametrize(
    ("link", "good"),
    [
        ("https://example.org/a:b", True),
        ("Docs|https://example.org", True),
        ("mailto:team@example.org", True),
        ("/relative", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" \tjava\nscript:alert(1)", False),
        ("Docs|javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
    ],
)
def test_only_links_that_open_something_are_shown(link: str, *, good: bool) -> None:
    assert harmless(link) is good
