"""`python -m services.stack.bench.rollouts`: choose parts and sizes, print figures, write them into
docs/benchmarks.md when all parts were measured.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from services.stack.bench import machine
from services.stack.bench.rollouts.run import PARTS, Sizes, measure, write

TARGET = Path(__file__).parents[4] / "docs" / "benchmarks.md"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def options() -> argparse.Namespace:
    usual = Sizes()
    parser = argparse.ArgumentParser(prog="bench-rollouts", description="Measure the rollout manager; takes minutes.")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated [default: all]")
    parser.add_argument("--rollouts", type=int, default=usual.rollouts, help="that get a new image [%(default)s]")
    parser.add_argument("--idle", type=int, default=usual.idle, help="idle Rollouts [%(default)s]")
    parser.add_argument("--promotions", type=int, default=usual.promotions, help="of canaries [%(default)s]")
    parser.add_argument("--runs", type=int, default=usual.runs, help="AnalysisRuns [%(default)s]")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md when all parts were measured")
    return parser.parse_args()


async def main(chosen: argparse.Namespace) -> None:
    where = machine.describe()
    say(f"on {where}")
    only = tuple(part for part in PARTS if part in (chosen.only or PARTS))
    sizes = Sizes(chosen.rollouts, chosen.idle, chosen.promotions, chosen.runs)
    figures = await measure(only, sizes, say)
    if chosen.write and only == PARTS:
        await write(TARGET, where, figures)


if __name__ == "__main__":
    asyncio.run(main(options()))
