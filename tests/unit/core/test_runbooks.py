from __future__ import annotations

import pytest

from migrate.core.runbook.runbooks import EXIT_SECTIONS, Expected, Passage, Runbook, Section, Step, meant, to_be_walked
from migrate.errors import ExitCode, SettingsError


def a_book(name: str, *anchors: str, steps: tuple[Step, ...] = ()) -> Runbook:
    sections = tuple(Section(anchor, anchor.title(), Passage(anchor), steps) for anchor in anchors)
    return Runbook(name, name.title(), Passage(name), sections)


BOOKS = (
    a_book("index", "by-exit-code"),
    a_book("stage-2", "apply-stage-2", "name-taken", steps=(Step("migrate plan"),)),
    a_book("errors", "locked", "interrupted"),
    a_book("rollback", "interrupted"),
    a_book("incident", "rollback-incomplete"),
    a_book("findings", "image-wrong-binary"),
)


@pytest.mark.parametrize(
    ("word", "book", "section"),
    [
        ("stage-2", "stage-2", None),
        ("stage-2.md", "stage-2", None),
        ("errors#locked", "errors", "locked"),
        ("errors.md#locked", "errors", "locked"),
        ("LOCKED", "errors", "locked"),
        ("7", "errors", "locked"),
        ("5", "incident", "rollback-incomplete"),
        ("image.wrong-binary", "findings", "image-wrong-binary"),
        ("name taken", "stage-2", "name-taken"),
        ("rollback#interrupted", "rollback", "interrupted"),
    ],
)
def test_a_name_a_section_a_code_and_an_exit_code_are_found(word: str, book: str, section: str | None) -> None:
    found, part = meant(word, BOOKS)
    assert (found.name, part.anchor if part else None) == (book, section)


def test_a_word_that_means_several_names_them() -> None:
    with pytest.raises(SettingsError) as raised:
        meant("interrupted", BOOKS)
    assert raised.value.why == "errors#interrupted, rollback#interrupted."


@pytest.mark.parametrize("word", ["image.wrong-binry", "errors#lock", "stage2"])
def test_a_word_that_means_none_is_told_what_is_much_like_it(word: str) -> None:
    with pytest.raises(SettingsError) as raised:
        meant(word, BOOKS)
    assert raised.value.why.startswith("Much like it: ")
    assert "migrate runbook" in raised.value.then


@pytest.mark.parametrize("word", ["", "0", "99", "#", "errors#", "zzzz"])
def test_nonsense_is_refused_or_shows_a_whole_runbook(word: str) -> None:
    if word == "errors#":
        assert meant(word, BOOKS)[1] is None
        return
    with pytest.raises(SettingsError):
        meant(word, BOOKS)


def test_every_exit_code_that_says_something_went_wrong_has_a_section() -> None:
    assert set(EXIT_SECTIONS) == set(ExitCode) - {ExitCode.DONE}


def test_a_walk_goes_through_the_first_section_that_has_commands() -> None:
    assert to_be_walked("stage-2", BOOKS)[1].anchor == "apply-stage-2"
    assert to_be_walked("stage-2#name-taken", BOOKS)[1].anchor == "name-taken"
    for word in ("errors", "errors#locked"):
        with pytest.raises(SettingsError, match="no command"):
            to_be_walked(word, BOOKS)


@pytest.mark.parametrize(
    ("expected", "code", "output", "unmet"),
    [
        (Expected(), 0, "", 0),
        (Expected(), 3, "", 1),
        (Expected((0, 3)), 3, "", 0),
        (Expected(shows=("stage 2 proven",)), 0, "position  stage 2\n  proven", 0),
        (Expected(shows=("arm64", "FARGATE")), 4, "arm64 2", 2),
    ],
)
def test_what_did_not_come_true_is_said(expected: Expected, code: int, output: str, unmet: int) -> None:
    assert len(expected.unmet(code, output)) == unmet
