"""What people read: blocks, plain words, quotes only where a text would be taken for something else."""

from shared.yamlio import dump


def test_long_texts_stay_readable_and_keys_keep_their_order() -> None:
    assert dump({"z": "one\ntwo\n", "a": {"b": [1, "x"]}}) == "z: |\n  one\n  two\na:\n  b:\n  - 1\n  - x\n"


def test_texts_that_look_like_something_else_are_quoted() -> None:
    words = ["yes", "y", "1e3", "0o17", "1_0", "2024-01-01", "12:30", "null", "~", ""]
    assert dump(words) == "".join(f"- '{word}'\n" for word in words)


def test_shared_parts_are_written_out() -> None:
    part = {"a": 1}
    assert dump([part, part]) == "- a: 1\n- a: 1\n"
