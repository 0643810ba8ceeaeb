"""A diff of Secrets shows which values differ, and nothing else."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.merge import hide_values, mask_secrets

Obj = dict[str, Any]
LAST = "kubectl.kubernetes.io/last-applied-configuration"


def secret(data: Obj, **more: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data, **more}


def test_equal_values_look_equal_and_different_ones_differ() -> None:
    desired, live = mask_secrets([secret({"a": "x", "b": "y"}), secret({"a": "x", "b": "z", "c": "w"})])
    assert desired is not None
    assert live is not None
    assert desired["data"] == {"a": "++++++++", "b": "++++++++"}
    assert live["data"] == {"a": "++++++++", "b": "++++++++++++", "c": "++++++++"}


def test_the_copy_in_the_annotation_is_masked_too() -> None:
    inner = orjson.dumps(secret({"a": "hidden"})).decode()
    for text in (inner, "no json: hidden"):
        (masked,) = mask_secrets([{**secret({"a": "other"}), "metadata": {"annotations": {LAST: text}}}])
        assert "hidden" not in orjson.dumps(masked).decode()


def test_other_kinds_and_missing_states_stay_as_they_are() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "x"}}
    assert mask_secrets([config, None]) == [config, None]


SECRETS = st.dictionaries(st.sampled_from("abc"), st.text("xyz", min_size=3), max_size=3)


@given(SECRETS, SECRETS)
def test_no_value_survives(one: Obj, other: Obj) -> None:
    states = [secret(one, stringData=other), secret(other)]
    shown = orjson.dumps(mask_secrets(states)).decode()
    assert not any(value in shown for value in (*one.values(), *other.values()))


@given(SECRETS, st.text("pqr ", max_size=9))
def test_a_complaint_about_a_secret_keeps_its_words_and_loses_its_values(data: Obj, words: str) -> None:
    text = words.join(["about", *data.values(), "end"])
    hidden = hide_values(text, secret(data))
    assert not any(value in hidden for value in data.values())
    assert hidden.startswith("about")
    assert hidden.endswith("end")
    assert hide_values(text, {**secret(data), "kind": "ConfigMap"}) == text


def test_a_complaint_may_show_the_plain_form_of_a_value() -> None:
    assert hide_values("bad: topsecret", secret({"a": "dG9wc2VjcmV0"})) == "bad: ++++++++"
