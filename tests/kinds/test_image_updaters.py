"""ImageUpdater objects: Argo CD Image Updater's are taken, and what its rules forbid is refused by the API server."""

from typing import Any

import pytest
import yaml

from shared.kinds.application import unknown_fields
from shared.kinds.imageupdater import ImageUpdater
from tests.parts.cluster import ClusterUnderTest

Obj = dict[str, Any]
WHOLE = """
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata: {name: all, namespace: argocd}
spec:
  namespace: argocd
  commonUpdateSettings: {updateStrategy: semver, forceUpdate: false, ignoreTags: [latest], platforms: [linux/arm64]}
  writeBackConfig:
    method: git:secret:argocd/git-creds
    gitConfig: {repository: https://git.example.org/apps.git, branch: main, writeBackTarget: "helmvalues:./values.yaml"}
  imagesVerification: {cosignKey: {secretName: cosign, key: cosign.pub}}
  applicationRefs:
    - namePattern: "web-*"
      labelSelectors:
        matchLabels: {team: web}
        matchExpressions: [{key: tier, operator: In, values: [front]}]
      writeBackConfig: {gitConfig: {pullRequest: {github: {}, labels: [images]}}}
      images:
        - alias: web
          imageName: "registry.example.org/web:~1.2"
          commonUpdateSettings: {allowTags: "regexp:^1"}
          manifestTargets: {helm: {name: image.name, tag: image.tag}}
        - alias: proxy
          imageName: nginx
          manifestTargets: {kustomize: {name: nginx}}
    - namePattern: legacy
      useAnnotations: true
"""


def changed(**changes: Any) -> Obj:
    obj: Obj = yaml.safe_load(WHOLE)
    obj["spec"] = {**obj["spec"], **changes}
    return obj


def ref(**fields: Any) -> Obj:
    return changed(applicationRefs=[{"namePattern": "web", **fields}])


def image(**fields: Any) -> Obj:
    return ref(images=[{"alias": "web", "imageName": "web", **fields}])


def test_every_field_is_known_and_given_back() -> None:
    obj = yaml.safe_load(WHOLE)
    read = ImageUpdater.parse(obj)
    assert unknown_fields(read) == []
    assert read.to_wire() == obj
    assert read.spec.images_verification
    assert read.spec.images_verification.is_enabled


REFUSED = {
    "no Application": (changed(applicationRefs=[]), "applicationRefs"),
    "neither images nor annotations": (ref(), "images are required unless useAnnotations"),
    "an unknown method": (changed(writeBackConfig={"method": "ftp"}), "method"),
    "an alias with a slash": (ref(images=[{"alias": "a/b", "imageName": "x"}]), "alias"),
    "two images of one alias": (
        ref(images=[{"alias": "a", "imageName": "x"}, {"alias": "a", "imageName": "y"}]),
        "alias",
    ),
    "two targets": (image(manifestTargets={"helm": {"name": "a"}, "kustomize": {"name": "b"}}), "exactly one of helm"),
    "a helm target of a tag only": (image(manifestTargets={"helm": {"tag": "a"}}), "helm needs name or spec"),
    "two forges": (
        changed(writeBackConfig={"gitConfig": {"pullRequest": {"github": {}, "gitlab": {}}}}),
        "exactly one of github",
    ),
    "a pull request with two branches": (
        changed(writeBackConfig={"gitConfig": {"branch": "main:other", "pullRequest": {"github": {}}}}),
        "base:target",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_its_rules_forbid_is_refused(case: str, cluster: ClusterUnderTest) -> None:
    obj, words = REFUSED[case]
    obj["metadata"]["namespace"] = "default"
    with pytest.raises(AssertionError) as refused:
        cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(obj))
    assert words in str(refused.value)


def test_a_whole_one_is_taken(cluster: ClusterUnderTest) -> None:
    obj = yaml.safe_load(WHOLE)
    obj["metadata"]["namespace"] = "default"
    assert "created" in cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(obj))
