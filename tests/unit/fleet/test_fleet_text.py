"""What people read of a run over a fleet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from syrupy.assertion import SnapshotAssertion

from migrate.core.fleet.definition import StopRules
from migrate.core.fleet.report import FleetReport
from migrate.core.fleet.run import MemberState, decide
from migrate.render.fleet import fleet_end, fleet_table, fleet_waves, news
from migrate.render.text import shown
from tests.fakes.fleet import NOON, a_fleet_run, a_member

WORKERS = {"w": "build-1:4711"}
LATER = NOON + timedelta(seconds=95)


def a_report(*, limit: int = 0) -> FleetReport:
    run, entries = a_fleet_run(
        [a_member("cart")], [a_member(name) for name in ("api", "mail", "web")], stop=StopRules(limit)
    )
    run = replace(run, opened=2)
    cart, api, mail, web = entries
    entries = (
        replace(cart, state=MemberState.ENDED, exit_code=0, text="Stage 1 (image) is proven.", started_at=NOON,
                finished_at=LATER),
        replace(api, state=MemberState.ENDED, exit_code=4, text="Stage 1 was rolled back. tasks: 2 of 4 failed",
                then="Mend the cause.", runbook="rollback#rolled-back", started_at=NOON, finished_at=LATER),
        replace(mail, state=MemberState.RUNNING, worker="w", text="up the image stack", started_at=NOON),
        web,
    )  # fmt: skip
    return FleetReport(run, entries, decide(run, [entry.standing for entry in entries]))


def test_a_table_while_it_goes_on(snapshot: SnapshotAssertion) -> None:
    assert shown(fleet_table(a_report(), WORKERS, LATER), width=110, colour=False) == snapshot


def test_a_small_terminal_shows_first_who_failed_and_who_is_at_work(snapshot: SnapshotAssertion) -> None:
    assert shown(fleet_table(a_report(), WORKERS, LATER, height=6), width=80, colour=False) == snapshot


def test_the_end_says_what_to_do(snapshot: SnapshotAssertion) -> None:
    report = a_report()
    ended = tuple(replace(entry, state=MemberState.ENDED, exit_code=0) for entry in report.entries[2:3])
    entries = (*report.entries[:2], *ended, report.entries[3])
    stopped = FleetReport(report.run, entries, decide(report.run, [entry.standing for entry in entries]))
    assert shown(fleet_end(stopped, WORKERS, LATER), width=110, colour=False) == snapshot


def test_waves_before_anybody_says_yes(snapshot: SnapshotAssertion) -> None:
    waves = [("canary", ["shop/cart"]), ("the rest", ["shop/api", "shop/web"])]
    assert shown(fleet_waves("stage 1 (image) for the fleet shop", waves), width=80, colour=False) == snapshot


def test_lines_tell_what_changed_and_nothing_twice() -> None:
    run, (web,) = a_fleet_run([a_member("web")])
    waiting = FleetReport(run, (web,), decide(run, [web.standing]))
    running = replace(web, state=MemberState.RUNNING, text="looking")
    at_work = FleetReport(run, (running,), decide(run, [running.standing]))
    done = replace(running, state=MemberState.ENDED, exit_code=0, text="Proven.")
    over = FleetReport(run, (done,), decide(run, [done.standing]))
    assert list(news(None, waiting)) == ["stage 1 of fleet shop-arm64: running, wave wave 0; 1 waiting"]
    assert list(news(waiting, at_work)) == ["shop/web: running"]
    assert list(news(at_work, at_work)) == []
    assert list(news(at_work, FleetReport(run, (replace(running, text="up"),), at_work.decision))) == ["shop/web: up"]
    assert list(news(at_work, over)) == ["shop/web: done: Proven.", "stage 1 of fleet shop-arm64: done; 1 done"]
