"""Steps are read from Markdown as CONTRIBUTING.md says that they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.adapters.runbook_files import RunbookFiles, anchor, parsed
from migrate.core.runbook.runbooks import Expected
from migrate.errors import NotFoundError

TEXT = """\
# Stage 9: tea

Before all.

## Make it, now

### Diagnosis
Look first.
```sh
look --at $KETTLE   # it may be hot
# nothing to run here
wait --for \\
  $KETTLE
```
Expected: exit 0 or 3, and `hot
water` with `cups`.

Then go on.

### Mitigation
1. Pour.
   ```sh
   LEAVES=$(count "$TEA")
   ```
2. Not a command: `stir $CUP`, nor is this:
   ```toml
   stir = "$CUP"
   ```

## Wash up

Nothing to run.
"""


def test_sections_commands_and_what_is_expected_are_read() -> None:
    book = parsed("stage-9", TEXT)
    assert (book.name, book.title) == ("stage-9", "Stage 9: tea")
    make, wash = book.sections
    assert (make.anchor, make.title, wash.anchor, wash.steps) == ("make-it-now", "Make it, now", "wash-up", ())
    look, wait, pour = make.steps
    assert look.command == "look --at $KETTLE   # it may be hot"
    assert (look.expected, look.expectation) == (Expected(), "")
    assert wait.command == "wait --for   $KETTLE"
    assert wait.expected == Expected((0, 3), ("hot water", "cups"))
    assert wait.expectation == "Expected: exit 0 or 3, and `hot water` with `cups`."
    assert (pour.command, pour.sets) == ('LEAVES=$(count "$TEA")', "LEAVES")
    assert pour.needs == {"TEA"}


def test_what_stands_between_two_commands_is_told_before_the_second_one() -> None:
    look, wait, pour = parsed("stage-9", TEXT).sections[0].steps
    assert look.told.startswith("## Make it, now")
    assert look.told.endswith("Look first.")
    assert wait.told == ""
    assert "Then go on." in pour.told
    assert "Expected" not in pour.told
    assert "stir = " in parsed("stage-9", TEXT).sections[0].rest


def test_values_are_put_into_commands_alone() -> None:
    book = parsed("stage-9", TEXT)
    shown = book.passage.with_values({"KETTLE": "the old one", "TEA": "green", "CUP": "mine"})
    assert "look --at 'the old one'   # it may be hot" in shown
    assert '"green"' in shown
    assert "`stir $CUP`" in shown
    assert 'stir = "$CUP"' in shown
    assert len(shown.splitlines()) == len(TEXT.splitlines())
    section = book.sections[0].passage.with_values({"KETTLE": "k"})
    assert section.startswith("## Make it, now\n")
    assert "  k\n" in section


def test_the_runbooks_of_the_package_are_found_and_the_index_stands_first() -> None:
    books = RunbookFiles().runbooks()
    assert books[0].name == "index"
    assert {"stage-2", "incident", "findings"} <= {book.name for book in books}


def test_a_package_without_runbooks_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not found"):
        RunbookFiles(tmp_path).runbooks()


def test_anchors_are_those_of_a_repository_page() -> None:
    assert anchor("The twin's name is taken") == "the-twins-name-is-taken"
