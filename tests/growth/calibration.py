"""Prints how the ledger does on simulated streams: `python -m tests.growth.calibration [YEARS]` (docs/growth.md)."""

import sys
import time
from collections.abc import Iterable, Sequence

import numpy as np

from kairan.year.counts import World
from tests.growth.streams import Seen, calendar, judged, single, years

HEAD = (
    f"{'years of 7 joins a day':<34}{'idle':>6}{'clear':>8}{'cover':>8}{'acting':>8}{'clear':>8}{'cover':>8}{'bias':>7}"
)
HEAD_SINGLE = f"{'one publication, 3 days':<42}{'clear':>8}{'cover':>8}{'bias, days of joins':>22}"


def main(count: int) -> None:
    say(f"one ledger of a year with 57 publications: {cost_ms():.0f} ms of one core\n")
    say(HEAD)
    say(year_line("as the community", years(count)))
    say(year_line("nothing ever has an effect", years(count, idle=1.0)))
    say(year_line("bunched, four within 72 hours", years(count, bunched=True)))
    say(year_line("six unlisted surges of 15-60", years(count, surges=6)))
    say(f"\n{HEAD_SINGLE}")
    for per_day in (7, 60, 2000):
        for lift in (0.0, 0.5, 1.0, 3.0):
            say(single_line(f"{per_day}/day, +{lift:.0%}", World(70, per_day), lift, 5 * count))
        say(single_line(f"{per_day}/day, growing 0.55 % a day", World(134, per_day, growth=2.0), 0.0, 5 * count))
        noisy = World(134, per_day, day_variance=0.05, day_correlation=0.5)
        say(single_line(f"{per_day}/day, correlated noise", noisy, 0.0, 5 * count))
        say(single_line(f"{per_day}/day, correlated noise, +100%", noisy, 1.0, 5 * count))


def cost_ms(repeats: int = 20) -> float:
    """Median CPU time of one ledger."""
    rng = np.random.default_rng(1)
    planned = calendar(rng)
    joins = World(per_day=5.5).joins([cause for _, cause in planned], rng).sum(1)
    published = [(kind, cause.at) for kind, cause in planned]
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        judged(joins, published)
        times.append(time.process_time() - begun)
    return 1000 * float(np.median(times))


def year_line(name: str, found: Iterable[list[Seen]]) -> str:
    seen = [one for year in found for one in year]
    idle, acting = [one for one in seen if not one.truth], [one for one in seen if one.truth]
    bias = float(np.mean([one.row.extra - one.truth for one in seen]))
    return f"{name:<34}{_shares(idle)}{_shares(acting)}{bias:>+7.1f}"


def single_line(name: str, world: World, lift: float, count: int) -> str:
    seen = [single(world, lift, np.random.default_rng((7, number))) for number in range(count)]
    bias = float(np.mean([one.row.extra - one.truth for one in seen])) / world.per_day
    return f"{name:<42}{_clear(seen):>8.1%}{_cover(seen):>8.1%}{bias:>+22.2f}"


def _shares(seen: Sequence[Seen]) -> str:
    return f"{len(seen):>{6 if not seen or not seen[0].truth else 8}}" + (
        f"{_clear(seen):>8.1%}{_cover(seen):>8.1%}" if seen else f"{'-':>8}{'-':>8}"
    )


def _clear(seen: Sequence[Seen]) -> float:
    return float(np.mean([one.row.verdict == "clear" for one in seen]))


def _cover(seen: Sequence[Seen]) -> float:
    return float(np.mean([one.held for one in seen]))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
