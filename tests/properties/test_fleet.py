"""Whatever a fleet is made of and however its members end: waves, stop rules and holds are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.fleet.definition import Concurrency, Fleet, FleetAccount, Member, Selection, StopRules, Wave
from migrate.core.fleet.run import FleetRun, FleetState, FleetVerb, MemberState, Standing, decide, exit_code
from migrate.core.fleet.waves import in_waves
from migrate.core.settings import ImageSettings, ServiceSettings, Settings
from migrate.errors import ExitCode

CODES = st.sampled_from([0, 0, 0, 1, 3, 4, 5, 6, 7, 8, 130])


def member(cluster: str, service: str) -> Member:
    arn = f"arn:aws:ecs:us-east-1:123456789012:service/{cluster}/{service}"
    settings = Settings(ServiceSettings(cluster, service), ImageSettings("app"))
    return Member(arn, FleetAccount(), "123456789012", "us-east-1", cluster, service, settings)


MEMBERS = st.sets(st.tuples(st.sampled_from("abc"), st.sampled_from("uvwxyz")), min_size=1).map(
    lambda names: [member(cluster, service) for cluster, service in sorted(names)]
)
WAVES = st.lists(
    st.one_of(
        st.builds(Wave, st.just("named"), st.lists(st.sampled_from(["u", "a/*", "*", "b/v"]), min_size=1).map(tuple)),
        st.builds(Wave, st.just("share"), st.just(()), st.integers(1, 100)),
    ),
    max_size=4,
).map(tuple)


@given(members=MEMBERS, waves=WAVES)
def test_every_member_is_in_exactly_one_wave_whatever_order_they_were_found_in(
    members: list[Member], waves: tuple[Wave, ...]
) -> None:
    fleet = Fleet("f", (Selection(0),), waves)
    found = in_waves(fleet, members)
    assert sorted(item.arn for _, taken in found for item in taken) == sorted(item.arn for item in members)
    assert found == in_waves(fleet, list(reversed(members)))


@given(members=MEMBERS, share=st.integers(1, 100))
def test_a_share_is_of_the_whole_fleet_and_at_least_one(members: list[Member], share: int) -> None:
    first = in_waves(Fleet("f", (Selection(0),), (Wave("first", share=share),)), members)[0][1]
    assert len(first) >= 1
    assert 0 <= len(first) - len(members) * share / 100 < 1


def run_of(waves: int, rules: StopRules) -> FleetRun:
    return FleetRun(
        "r", "f", FleetVerb.APPLY, 1, tuple(map(str, range(waves))), datetime(2026, 11, 28, tzinfo=UTC), "me", "here",
        rules, Concurrency(),
    )  # fmt: skip


@given(data=st.data())
def test_played_to_the_end_a_run_starts_each_member_once_in_order_and_none_after_it_has_to_stop(
    data: st.DataObject,
) -> None:
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    rules = StopRules(data.draw(st.integers(0, 3)), hold_between_waves=data.draw(st.booleans()))
    run = run_of(len(sizes), rules)
    standings = {
        f"{wave}.{place}": Standing(f"{wave}.{place}", wave) for wave, size in enumerate(sizes) for place in range(size)
    }
    started: list[str] = []
    while True:
        decision = decide(run, list(standings.values()))
        running = [arn for arn, item in standings.items() if item.state is MemberState.RUNNING]
        failed = sum(item.failed for item in standings.values())
        if failed > rules.failure_limit or (rules.hold_between_waves and decision.wave >= run.opened):
            assert decision.start == ()
        for arn in decision.start:
            wave = standings[arn].wave
            assert all(item.state is MemberState.ENDED for item in standings.values() if item.wave < wave)
        if decision.state is FleetState.HELD:
            run = replace(run, opened=decision.wave + 1)
        elif decision.state is not FleetState.RUNNING:
            break
        else:
            arn = data.draw(st.sampled_from([*decision.start, *running]))
            if arn in decision.start:
                started.append(arn)
                standings[arn] = replace(standings[arn], state=MemberState.RUNNING)
            else:
                standings[arn] = replace(standings[arn], state=MemberState.ENDED, exit_code=data.draw(CODES))
    assert len(started) == len(set(started))
    if decision.state is FleetState.DONE:
        assert set(started) == set(standings)
    else:
        assert decision.state is FleetState.STOPPED
        assert sum(item.failed for item in standings.values()) > rules.failure_limit


@given(ends=st.lists(CODES, min_size=2, max_size=6), limit=st.integers(0, 6))
def test_within_the_limit_a_failure_keeps_nobody_of_its_wave_from_starting(ends: list[int], limit: int) -> None:
    ended = [Standing(str(place), 0, MemberState.ENDED, code) for place, code in enumerate(ends)]
    waiting = Standing("waiting", 0)
    decision = decide(run_of(1, StopRules(limit)), [*ended, waiting])
    assert (decision.start == ("waiting",)) == (sum(item.failed for item in ended) <= limit)


@given(ends=st.lists(CODES, min_size=1, max_size=6))
def test_a_rollback_of_a_fleet_is_stopped_by_no_failure(ends: list[int]) -> None:
    run = replace(run_of(1, StopRules(0)), verb=FleetVerb.ROLLBACK)
    ended = [Standing(str(place), 0, MemberState.ENDED, code) for place, code in enumerate(ends)]
    assert decide(run, [*ended, Standing("waiting", 0)]).start == ("waiting",)


@given(ends=st.lists(CODES, min_size=1, max_size=6), state=st.sampled_from(FleetState))
def test_the_exit_code_is_zero_only_where_all_is_done(ends: list[int], state: FleetState) -> None:
    ended = [Standing(str(place), 0, MemberState.ENDED, code) for place, code in enumerate(ends)]
    code = exit_code(ended, state)
    assert (code is ExitCode.DONE) == (state is FleetState.DONE and not any(ends))
    assert code is ExitCode.ROLLBACK_INCOMPLETE or ExitCode.ROLLBACK_INCOMPLETE not in ends
