from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.config.locate import KeyPath, line_of

TEXT = '''\
# [service] in a comment, name = "no"
[service]

cluster = "demo" # name = "no"
text = """
name = "no"
"""
"name" = 'web'
a.b.c = 1
items = [
    # first
    { x = 1 },
    { x = 2, y = 3 }, { x = 4 },
    """
    long
    """,
]

[image.build_arguments]
VERSION = "]"
[[many]]
x = 1
[[many]]
x = 2
last = [1,
2,
3]
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("service",), 2),
        (("service", "cluster"), 4),
        (("service", "text"), 5),
        (("service", "name"), 8),
        (("service", "a", "b"), 9),
        (("service", "items"), 10),
        (("service", "items", 0, "x"), 12),
        (("service", "items", 1, "y"), 13),
        (("service", "items", 2), 13),
        (("service", "items", 3), 16),
        (("image",), 19),
        (("image", "build_arguments", "VERSION"), 20),
        (("many", 1), 23),
        (("many", 1, "x"), 24),
        (("many", 1, "last"), 25),
        (("many", 1, "last", 0), 25),
        (("many", 1, "last", 1), 26),
        (("many", 1, "last", 2), 27),
        (("service", "missing"), None),
        (("service", "cluster", "deeper"), None),
        (("service", "items", 9), None),
    ],
)
def test_lines_of_keys(path: KeyPath, line: int | None) -> None:
    assert line_of(TEXT, path) == line


def test_lines_are_the_same_with_windows_line_ends() -> None:
    text = TEXT.replace("\n", "\r\n")
    assert line_of(text, ("image", "build_arguments", "VERSION")) == 20
    assert line_of(text, ("service", "items", 1, "y")) == 13


@given(st.lists(st.sampled_from(["", "# k7 = 1", 'x{} = "k7 = 2"', "x{} = [\n1,\n2,\n]", "x{} = '''\nk7 = 3\n'''"])))
def test_whatever_stands_before_a_key_its_line_is_found(before: list[str]) -> None:
    text = "".join(f"{line.format(number)}\n" for number, line in enumerate(before))
    assert line_of(f"{text}k7 = 0\n", ("k7",)) == text.count("\n") + 1
