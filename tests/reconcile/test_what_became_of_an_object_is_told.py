"""Entries of `syncResult.resources`: the fields that Argo's CustomResourceDefinition demands are there even when
empty.
"""

from services.reconciler.outcome import Outcome
from shared.kinds.refs import ResourceKey


def test_an_object_that_was_gone_already_has_every_required_field() -> None:
    entry = Outcome(ResourceKey("", "ConfigMap", "", "gone"), "", "Pruned", "pruned").entry()
    assert entry == {
        "group": "",
        "version": "",
        "kind": "ConfigMap",
        "namespace": "",
        "name": "gone",
        "message": "pruned",
        "status": "Pruned",
        "hookPhase": "Succeeded",
        "syncPhase": "Sync",
    }
