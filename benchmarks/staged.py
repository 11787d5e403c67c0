"""Run the command line, and write down when each stage begins.

    python benchmarks/staged.py TIMES.json align mon.h5ad tue.h5ad

TIMES.json gets a list of stage, seconds since the start and seconds of processor until then; the last entry
is the end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

START = time.perf_counter()


def main() -> None:
    from cellgan_cli.main import main as cellgan
    from cellgan_cli.screen import Screen

    seen: list[tuple[str, float, float]] = [("starting", 0.0, 0.0)]
    show = Screen.progress

    def progress(self: Screen, stage: str, fraction: float) -> None:
        if stage != seen[-1][0]:
            seen.append((stage, time.perf_counter() - START, time.process_time()))
        show(self, stage, fraction)

    Screen.progress = progress  # type: ignore[method-assign]
    times, sys.argv = Path(sys.argv[1]), ["cellgan", *sys.argv[2:]]
    try:
        cellgan()
    finally:
        seen.append(("end", time.perf_counter() - START, time.process_time()))
        times.write_text(json.dumps(seen))


if __name__ == "__main__":
    main()
