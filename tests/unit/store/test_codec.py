from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.adapters.store.codec import decode, encode
from migrate.core.evidence import Event, Run
from migrate.core.record import Baseline, Record
from migrate.errors import BlockedError
from tests.fakes.records import a_record, a_run

KINDS: tuple[type, ...] = (Record, Baseline, Run, Event)


# Times are aware and in UTC everywhere (core/facts.py), and no rate is infinite.
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_record_survives_the_round_trip(kind: type, data: st.DataObject) -> None:
    value = data.draw(st.from_type(kind))
    text = encode(value)
    assert decode(kind, text) == value
    assert encode(decode(kind, text)) == text


def test_a_record_of_before_a_field_was_added_is_read_with_its_default() -> None:
    older = encode(a_record()).replace('"adopted":false,', "")
    assert decode(Record, older) == a_record()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (encode(a_run()).replace('"verb"', '"word"'), "verb"),
        (encode(a_run()).replace('"stage":1', '"stage":"one"'), "stage"),
        (encode(a_run())[:-1] + ',"shiny":1}', "shiny"),
        ("{", "JSON"),
    ],
)
def test_a_text_of_another_shape_is_refused_in_words(text: str, place: str) -> None:
    with pytest.raises(BlockedError) as refusal:
        decode(Run, text)
    assert place in refusal.value.why
    assert "A stored Run cannot be read." in str(refusal.value)
    assert "newer version" in refusal.value.then
    assert refusal.value.runbook == "errors#state"


@pytest.mark.parametrize("module", ["migrate.config", "migrate.adapters.store.codec"])
def test_pydantic_is_not_imported_before_it_is_needed(module: str) -> None:
    program = f"import sys, {module}; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
