"""Figures of one run, a line each: NAME VALUE UNIT. Compare them from run to run on one machine, never assert them."""

from __future__ import annotations

import sys
from itertools import chain

from tests.bench.apply_overhead import overhead_figures
from tests.bench.fleet import fleet_figures
from tests.bench.help_start import help_figures
from tests.bench.image_scan import scan_figures
from tests.bench.kills import kill_figures
from tests.bench.live_view import live_view_figures
from tests.bench.load_by_stage import load_figures
from tests.bench.migration import migration_figures
from tests.bench.rollback_answers import rollback_figures

_ONLY_BY_NAME = frozenset({"kills"})
"""What takes as long as all others together."""


def main() -> None:
    """Run the benches named on the command line, or all, and print their figures as they come."""
    benches = {
        "help": help_figures,
        "live": live_view_figures,
        "scan": scan_figures,
        "migration": migration_figures,
        "overhead": overhead_figures,
        "rollback": rollback_figures,
        "load": load_figures,
        "fleet": fleet_figures,
        "kills": kill_figures,
    }
    wanted = sys.argv[1:] or [name for name in benches if name not in _ONLY_BY_NAME]
    for name, value, unit in chain.from_iterable(benches[bench]() for bench in wanted):
        sys.stdout.write(f"{name} {value:.2f} {unit}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
