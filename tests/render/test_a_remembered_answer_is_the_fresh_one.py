"""Random histories: what is remembered is what a fresh render gives; a push outside the input paths changes nothing.

The sources read in every way there is: value files by name, glob and absence, bases, imports, links, overrides.
"""

import random
from typing import Any

import pytest

from shared.events import RequestError
from tests.render.service import Obj, Service
from tests.render.tools import TEMPLATE, Content, Link, config_map

COMMITS = 25
BASE: dict[str, Content] = {
    "helm/Chart.yaml": "apiVersion: v2\nname: helm\nversion: 1.0.0\n"
    "dependencies: [{name: near, version: 1.0.0, repository: 'file://../near'}]\n",
    "helm/templates/config.yaml": TEMPLATE,
    "helm/values.yaml": "text: default\n",
    "near/Chart.yaml": "apiVersion: v2\nname: near\nversion: 1.0.0\n",
    "near/templates/a.yaml": TEMPLATE.replace("-config", "-near"),
    "near/values.yaml": "text: near\n",
    "kus/kustomization.yaml": "resources: [../base]\n",
    "base/kustomization.yaml": "resources: [a.yaml]\nconfigMapGenerator: [{name: g, files: [note.txt]}]\n",
    "base/a.yaml": config_map("a"),
    "base/note.txt": "note",
    "plain/a.yaml": config_map("a"),
    "plain/linked.yaml": Link("../shared/one.yaml"),
    "plain/b.jsonnet": "import '../lib/b.libsonnet'",
    "lib/b.libsonnet": "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'b'}}",
    "shared/one.yaml": config_map("one"),
    "shared/two.yaml": config_map("two"),
}
HELM = {"valueFiles": ["../envs/*.yaml", "../more/x.yaml", "$own/refs/v.yaml"], "ignoreMissingValueFiles": True}


def edits(chance: random.Random, now: dict[str, Content]) -> dict[str, Content]:
    """One to three changes, some of them elsewhere."""
    number = chance.randrange(1000)
    choices: list[tuple[str, Content]] = [
        (f"envs/{chance.choice('abc')}.yaml", chance.choice([f"text: env-{number}\n", None])),
        ("more/x.yaml", chance.choice([f"text: more-{number}\n", None])),
        ("refs/v.yaml", chance.choice([f"text: ref-{number}\n", None])),
        ("helm/values.yaml", f"text: t{number}\n"),
        ("helm/.argocd-source.yaml", chance.choice([f"helm: {{releaseName: r{number}}}\n", None])),
        ("near/values.yaml", f"text: n{number}\n"),
        ("near/templates/b.yaml", chance.choice([TEMPLATE.replace("-config", "-more"), None])),
        ("base/note.txt", f"note {number}"),
        ("kus/kustomization.yaml", f"resources: [../base]\nnamePrefix: p{number}-\n"),
        ("kus/.argocd-source-guestbook.yaml", chance.choice([f"kustomize: {{nameSuffix: '-{number}'}}\n", None])),
        ("shared/one.yaml", config_map(f"one-{number}")),
        ("plain/linked.yaml", Link(chance.choice(["../shared/one.yaml", "../shared/two.yaml", "nowhere"]))),
        ("plain/c.yaml", chance.choice([config_map(f"c{number}"), None])),
        ("lib/b.libsonnet", f"{{apiVersion: 'v1', kind: 'ConfigMap', metadata: {{name: 'b{number}'}}}}"),
        ("elsewhere/x.yaml", f"x: {number}\n"),
        ("envs/deep/x.yaml", f"x: {number}\n"),
        ("base/unused.yaml", config_map(f"unused-{number}")),
    ]
    picked = dict(chance.sample(choices, chance.randint(1, 3)))
    return {path: content for path, content in picked.items() if content is not None or path in now}


async def ask(service: Service, sources: list[Obj], **fields: Any) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The digest and input paths, or why there are none."""
    try:
        answer = await service.render(*sources, **fields)
    except RequestError as error:
        return error.reason, ()
    return answer.reply.digest, tuple(source.input_paths for source in answer.reply.sources)


def touched(changed: set[str], inputs: tuple[tuple[str, ...], ...]) -> bool:
    """Does a change fall under an input path, as the reconciler sees it?"""
    flat = [path for paths in inputs for path in paths]
    return any(each == path or (path.endswith("/") and each.startswith(path)) for each in changed for path in flat)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("path", ["helm", "kus", "plain"])
async def test_over_any_history(service: Service, path: str, seed: int) -> None:
    chance = random.Random(seed)
    files = dict(BASE)
    service.commit(files)
    before: tuple[str, tuple[tuple[str, ...], ...]] = ("", ())
    seen: set[str] = set()
    for _ in range(COMMITS):
        changes = edits(chance, files)
        service.commit(changes)
        files = {key: value for key, value in {**files, **changes}.items() if value is not None}
        options: dict[str, Any] = {"helm": HELM} if path == "helm" else {}
        sources = [service.source(path, **options), service.source("", ref="own")]
        remembered = await ask(service, sources)
        fresh = await ask(service, sources, no_cache=True)
        assert remembered == fresh, changes
        if before[1] and not touched(set(changes), before[1]):
            assert remembered == before, changes
        before = remembered
        seen.add(remembered[0])
    assert len(seen) > 4
    assert service.renderer.made < 2 * COMMITS
