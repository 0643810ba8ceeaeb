"""The memory of earlier renders, over a real bucket: equal inputs find the answer, in memory or after a restart."""

from services.renderer.known import MAX_RECORD, Input, Known, Result, contents_of, matching
from shared.bus import Bus

INPUTS = (Input(0, "app/"), Input(0, "@cluster"))


def _digests(**values: str) -> dict[str, str]:
    return {"app/": "t1", "@cluster": "c1", **{name.replace("__", "/"): value for name, value in values.items()}}


def _result(inputs: tuple[Input, ...], digests: dict[str, str], reply: bytes) -> Result:
    return Result(inputs, contents_of(inputs, lambda each: digests[each.name]), reply)


async def test_equal_inputs_find_the_answer_and_others_do_not() -> None:
    known = _result(INPUTS, _digests(), b"{}")
    assert matching([known], lambda each: _digests()[each.name]) == known
    assert matching([known], lambda each: _digests(app__="t2")[each.name]) is None


async def test_going_back_to_earlier_contents_finds_the_earlier_answer(bus: Bus, unique: str) -> None:
    memory = Known(await bus.kv(unique), 1_000_000)
    for number in range(3):
        await memory.add("question", _result(INPUTS, _digests(app__=f"t{number}"), f"{number}".encode()))
    found = matching(await memory.results("question"), lambda each: _digests(app__="t0")[each.name])
    assert found is not None
    assert found.reply == b"0"


async def test_a_restart_is_warm(bus: Bus, unique: str) -> None:
    bucket = await bus.kv(unique)
    await Known(bucket, 1_000_000).add("question", _result(INPUTS, _digests(), b"reply"))
    assert [each.reply for each in await Known(bucket, 1_000_000).results("question")] == [b"reply"]


async def test_memory_is_bounded_and_the_bucket_still_knows(bus: Bus, unique: str) -> None:
    memory = Known(await bus.kv(unique), 2_000)
    for number in range(30):
        await memory.add(f"question-{number}", _result(INPUTS, _digests(), b"x" * 200))
    assert sum(map(len, memory._records.values())) <= 2_000
    assert len(await memory.results("question-0")) == 1


async def test_an_answer_with_endless_inputs_stays_out_of_the_bucket(bus: Bus, unique: str) -> None:
    bucket = await bus.kv(unique)
    inputs = tuple(Input(0, f"file-{number}-{'x' * 100}") for number in range(MAX_RECORD // 100))
    await Known(bucket, 10_000_000).add("question", Result(inputs, "c", b"reply"))
    assert await bucket.get("question") is None


async def test_a_record_of_another_format_is_no_answer(bus: Bus, unique: str) -> None:
    bucket = await bus.kv(unique)
    await bucket.put("question", b'{"other": true}')
    assert await Known(bucket, 1000).results("question") == []
