from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.make_corpus import seeds
from tests.fuzz.targets import CORPUS, TARGETS

KEPT = [(path.parent.name, path) for path in sorted(CORPUS.glob("*/*"))]


@pytest.mark.parametrize(("target", "path"), KEPT, ids=[f"{target}/{path.name}" for target, path in KEPT])
@pytest.mark.timeout(30)
def test_the_corpus_ends_well(target: str, path: Path) -> None:
    TARGETS[target](path.read_bytes())


def test_every_target_has_its_seeds_as_they_are_made() -> None:
    assert set(seeds()) == set(TARGETS)
    for target, found in seeds().items():
        assert {path.name for path in (CORPUS / target).glob("seed-*")} == {f"seed-{name}" for name in found}


@st.composite
def mutated(draw: st.DrawFn, target: str) -> bytes:
    """Return a seed that was changed, cut, doubled or joined with another in a few places."""
    bodies = list(seeds()[target].values())
    body = draw(st.sampled_from(bodies))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        change = draw(st.binary(max_size=8) | st.sampled_from(INTERESTING) | st.sampled_from(bodies))
        gone = draw(st.sampled_from([0, 1, len(change), 600]))
        body = body[:at] + change + body[at + gone :]
    return body


INTERESTING = [
    b"\0" * 512,
    b"\xff" * 8,
    b"\x7f\xff\xff\xff",
    b"77777777777\0",
    b"PK\3\4",
    b"PK\5\6",
    b"\x7fELF",
    b"../",
]


@pytest.mark.parametrize("target", TARGETS)
def test_changed_seeds_end_well(target: str) -> None:
    act: Callable[[bytes], None] = TARGETS[target]

    @settings(max_examples=150, deadline=5000, suppress_health_check=list(HealthCheck))
    @given(body=mutated(target))
    def changed(body: bytes) -> None:
        act(body)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    changed()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 << 10
