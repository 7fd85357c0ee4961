from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.shell_text import filled, names_in

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("aws ecs x --cluster $CLUSTER", "aws ecs x --cluster shop"),
        ("service/$CLUSTER/${SERVICE}", "service/shop/'a b'"),
        ("$CLUSTER-migrate-arm64", "shop-migrate-arm64"),
        ("--versions '$CLUSTER'", "--versions '$CLUSTER'"),
        ('--manifest "$SERVICE"', '--manifest "a b"'),
        (r"\$CLUSTER", r"\$CLUSTER"),
        ("$UNKNOWN $CLUSTER", "$UNKNOWN shop"),
        ("echo $CLUSTERS $cluster $1 $(date) ${CLUSTER:-x}", "echo $CLUSTERS $cluster $1 $(date) ${CLUSTER:-x}"),
        ("x # it's $CLUSTER's\naws $CLUSTER", "x # it's $CLUSTER's\naws shop"),
        ("--query 'a[?b]' $CLUSTER", "--query 'a[?b]' shop"),
        ('''-d "it's $CLUSTER"''', '''-d "it's shop"'''),
    ],
)
def test_a_value_goes_where_a_shell_would_put_it(text: str, shown: str) -> None:
    assert filled(text, {"CLUSTER": "shop", "SERVICE": "a b"}) == shown


@given(WORDS)
def test_whatever_the_value_is_a_shell_reads_it_as_one_word(value: str) -> None:
    assert shlex.split(filled("say $VALUE end", {"VALUE": value})) == ["say", value, "end"]


@given(WORDS.filter(lambda value: not set(value) & set("$`")))
def test_in_double_quotes_a_value_stays_in_its_word(value: str) -> None:
    # What shlex does not know of double quotes, a real shell is asked below.
    assert shlex.split(filled('say "a $VALUE" end', {"VALUE": value})) == ["say", f"a {value}", "end"]


@pytest.mark.parametrize("value", ["$(id)", "`id`", "'; id; '", '"; id; "', "$HOME", "a\\b", "-n", "*"])
def test_a_real_shell_runs_nothing_of_a_value(value: str) -> None:
    for command in ("printf %s $VALUE", 'printf %s "$VALUE"', 'printf %s "${VALUE}"'):
        done = subprocess.run(
            ["sh", "-c", filled(command, {"VALUE": value})], capture_output=True, text=True, check=True
        )
        assert done.stdout == value


def test_the_names_that_a_command_uses_are_known() -> None:
    assert names_in("M=$(aws x --tag $TAG '$LATEST') && echo \"$M\"") == {"TAG", "M"}
