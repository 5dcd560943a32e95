"""Measure every bar of finding, part by part: a JSON line each, a table, and one line of all bars.

    python -m benchmarks.finding                          # everything
    python -m benchmarks.finding --only clean,negatives   # some parts
    python -m benchmarks.finding --quick                  # every fourth picture

Needs ../shared/data for most parts; what is missing is said, and skipped.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from benchmarks.finding import (
    areas,
    calibration,
    clean,
    film_shapes,
    gain,
    lines,
    negatives,
    speed,
    texts,
    variants,
)
from benchmarks.finding.bars import Measured, MissingError, table, without_nan
from benchmarks.line import print_line

PARTS: dict[str, Callable[[int], Measured]] = {
    "film": film_shapes.measure,
    "variants": variants.measure,
    "gain": gain.measure,
    "clean": clean.measure,
    "negatives": negatives.measure,
    "lines": lines.measure,
    "areas": areas.measure,
    "texts": texts.measure,
    "calibration": calibration.measure,
    "speed": speed.measure,
}
QUICK = 4


def main() -> dict[str, object]:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}, by commas")
    parser.add_argument("--quick", action="store_true", help=f"every {QUICK}th picture")
    options = parser.parse_args()
    names, every = options.only.split(","), QUICK if options.quick else 1
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        parser.error(f"no part is called {unknown[0]!r}: choose from {', '.join(PARTS)}")
    bars, parts, missing = {}, {}, {}
    for name in names:
        since = time.perf_counter()
        try:
            measured = PARTS[name](every)
        except MissingError as error:
            missing[name] = str(error)
            print(f"{name}: {error}: skipped", file=sys.stderr)
            continue
        bars |= {bar.name: bar.as_json() for bar in measured.bars}
        spent = round(time.perf_counter() - since, 1)
        parts[name] = without_nan({"seconds_spent": spent, **measured.figures})
        print_line(f"finding: {name}", every=every, **parts[name])
    print("".join(table(bars)), end="")
    return print_line("finding", every=every, bars=bars, skipped=missing, parts=parts)


if __name__ == "__main__":
    main()
