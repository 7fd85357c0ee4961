from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from migrate.core.documents import fields
from migrate.core.evidence import EventKind
from migrate.core.run.audit import ActEnd, EntryKind, audit, measurements, took
from tests.fakes.records import NOON, a_run
from tests.fakes.story import ALARM, PASSES, STORY, told


def test_an_act_is_one_entry_from_its_intent_to_its_outcome() -> None:
    acts = [entry for entry in audit(a_run(), STORY).entries if entry.kind is EntryKind.ACT]
    assert [(act.step, act.ended, act.seconds) for act in acts] == [
        ("guard tag", ActEnd.DONE, 1),
        ("service stack: up", ActEnd.DONE, 72),
        ("refresh", ActEnd.FAILED, 3),
        ("restore tag", ActEnd.UNKNOWN, None),
    ]
    assert fields(acts[1].data)["changes"] == ["update service"]
    assert "failed: no" in acts[2].text


def test_samples_that_say_the_same_are_one_entry_with_the_last_ones_evidence() -> None:
    samples = [entry for entry in audit(a_run(), STORY).entries if entry.kind is EntryKind.SAMPLES]
    assert [(entry.count, entry.seconds) for entry in samples] == [(2, 15), (3, 30), (1, 0)]
    assert fields(samples[1].data)["soak_left"] == 570
    assert measurements(samples[2]) == (PASSES, ALARM)


def test_verdicts_and_the_end_stand_for_themselves() -> None:
    found = audit(a_run(), STORY)
    assert [entry.text for entry in found.verdicts] == ["fail: web-5xx is in ALARM: 12 errors"]
    assert found.entries[-1].kind is EntryKind.END


def test_an_act_that_was_begun_again_is_told_twice_and_the_first_stays_without_an_outcome() -> None:
    events = [
        told(EventKind.INTENT, "up", "service stack"),
        told(EventKind.INTENT, "up", "service stack", 60),
        told(EventKind.OUTCOME, "up", "service stack: done", 70),
    ]
    assert [(entry.ended, entry.seconds) for entry in audit(a_run(), events).entries] == [
        (ActEnd.UNKNOWN, None),
        (ActEnd.DONE, 10),
    ]


def test_an_outcome_without_an_intent_is_not_lost() -> None:
    (entry,) = audit(a_run(), [told(EventKind.OUTCOME, "up", "service stack: done")]).entries
    assert (entry.kind, entry.ended, entry.text) == (EntryKind.ACT, ActEnd.DONE, "service stack: done")


def test_how_long_a_run_took_is_known_once_it_has_ended() -> None:
    assert took(a_run()) is None
    assert took(replace(a_run(), finished_at=NOON + timedelta(minutes=3))) == timedelta(minutes=3)
