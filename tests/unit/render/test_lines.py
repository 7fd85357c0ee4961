"""Lines end between words, whatever the width, and what is too wide for its place stays whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from migrate.render.lines import Paragraph, Rows
from migrate.render.text import shown

DIGEST = f"sha256:{'0a' * 32}"
WORDS = st.lists(st.text("abc-:/", min_size=1, max_size=90), min_size=1, max_size=30)
WIDTHS = st.integers(20, 140)


@given(words=WORDS, width=WIDTHS, hang=st.integers(0, 8), indent=st.integers(0, 6))
def test_no_word_is_broken_and_none_is_lost(words: list[str], width: int, hang: int, indent: int) -> None:
    lines = shown(Paragraph(" " * indent + " ".join(words), hang=hang), width=width, colour=False).splitlines()
    assert [word for line in lines for word in line.split()] == words
    for line in lines:
        alone = line.split(maxsplit=1)[-1] if line.lstrip().startswith(("- ", "+ ")) else line.lstrip()
        assert len(line) <= width or " " not in alone


@given(words=WORDS, width=WIDTHS, label=st.text("xyz", min_size=1, max_size=12))
def test_a_row_loses_neither_its_label_nor_a_word(words: list[str], width: int, label: str) -> None:
    rows = Rows(indent=2)
    rows.add(label, " ".join(words))
    told = shown(rows, width=width, colour=False).split()
    assert told == [label, *words]


def test_what_goes_on_stands_below_the_words_and_not_below_the_label() -> None:
    rows = Rows(indent=2, narrowest=6)
    rows.add("gate", "every task reports its architecture\ntargets are healthy", hang=2)
    rows.add(Text("change", "bold"), f"the tag\n  - {DIGEST}\n  + an index of two")
    assert (
        shown(rows, width=30, colour=False)
        == f"""\
  gate    every task reports
            its architecture
          targets are healthy
  change  the tag
- {DIGEST}
            + an index of two
"""
    )


def test_a_digest_has_its_line_for_itself_where_the_window_holds_it() -> None:
    rows = Rows()
    rows.add("architecture", "arm64")
    rows.add("digest", DIGEST)
    assert shown(rows, width=80, colour=False) == f"architecture  arm64\ndigest   {DIGEST}\n"
    assert shown(rows, width=75, colour=False) == f"architecture  arm64\ndigest\n    {DIGEST}\n"
    assert shown(rows, width=60, colour=False) == f"architecture  arm64\ndigest\n{DIGEST}\n"


def test_words_stand_below_their_labels_where_there_is_no_room_beside_them() -> None:
    rows = Rows(labels=2, style="", room=20)
    rows.add("shop/cart", "2", "the tag cannot become an index")
    rows.add("shop/web", "1", "")
    assert (
        shown(rows, width=30, colour=False)
        == """\
shop/cart  2
  the tag cannot become an
  index
shop/web   1
"""
    )
    assert (
        shown(rows, width=40, colour=False)
        == """\
shop/cart  2  the tag cannot become an
              index
shop/web   1
"""
    )
