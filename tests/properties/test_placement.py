"""Placement expressions of any shape: reading never crashes, writing and reading agree, three values are sound."""

from __future__ import annotations

import string

from hypothesis import example, given
from hypothesis import strategies as st

from migrate.core.placement.evaluation import Candidate, evaluate
from migrate.core.placement.expression import (
    LONGEST,
    All,
    Any,
    Comparison,
    Expression,
    ExpressionError,
    Not,
    Operator,
    parse_expression,
)

NAMES = st.sampled_from(["attribute:stack", "attribute:ecs.instance-type", "attribute:zone", "runningTasksCount"])
VALUES = st.text(string.ascii_lowercase + string.digits + ".-_:/", min_size=1, max_size=12).filter(
    lambda text: text.lower() not in {"and", "or", "not", "in", "exists"} and not text.startswith(("'", '"'))
)
SIMPLE = [Operator.EQUALS, Operator.NOT_EQUALS, Operator.GREATER, Operator.LESS_EQUAL]


def compared() -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.builds(Comparison, NAMES, st.sampled_from(SIMPLE), st.tuples(VALUES)),
        st.builds(Comparison, NAMES, st.sampled_from([Operator.EXISTS, Operator.NOT_EXISTS])),
        st.builds(
            Comparison,
            NAMES,
            st.sampled_from([Operator.IN, Operator.NOT_IN]),
            st.lists(VALUES, max_size=3).map(tuple),
        ),
        st.builds(Comparison, NAMES, st.sampled_from([Operator.MATCHES, Operator.NOT_MATCHES]), st.tuples(VALUES)),
    )


EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    compared(),
    lambda inside: st.one_of(
        st.builds(Not, inside),
        st.builds(All, st.lists(inside, min_size=2, max_size=3).map(tuple)),
        st.builds(Any, st.lists(inside, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


def read(text: str) -> Expression | ExpressionError:
    try:
        return parse_expression(text)
    except ExpressionError as error:
        return error


def written(expression: Expression) -> str:
    if isinstance(expression, Comparison):
        if expression.operator in (Operator.IN, Operator.NOT_IN):
            return f"{expression.subject} {expression.operator} [{', '.join(expression.arguments)}]"
        return " ".join([expression.subject, expression.operator, *expression.arguments])
    if isinstance(expression, Not):
        return f"not({written(expression.inside)})"
    word = " and " if isinstance(expression, All) else " or "
    return word.join(f"({written(part)})" for part in expression.parts)


@given(EXPRESSIONS)
def test_c50_what_is_written_is_read_back(expression: Expression) -> None:
    assert parse_expression(written(expression)) == expression


@given(st.text(max_size=200))
@example("attribute:a =~ (")
@example("!" * 300)
@example("(" * 3000)
@example("a in [" + "b," * 900)
@example("a =~ \\")
def test_c50_no_text_crashes_the_reader(text: str) -> None:
    expression = read(text)
    if isinstance(expression, ExpressionError):
        assert 0 <= expression.position <= max(len(text), LONGEST)
    else:
        assert evaluate(expression, Candidate("m7g.large", {"a": "b"}, {})) in {True, False, None}


@given(st.text("abceinorst=!~<>()[],&| '\"\\.*+?{}^$-:", max_size=60))
def test_c50_no_text_of_the_languages_own_marks_crashes_reader_or_judge(text: str) -> None:
    expression = read(text)
    if not isinstance(expression, ExpressionError):
        assert evaluate(expression, Candidate("x", {"a": "b"}, {"b": "1"}, complete=True)) in {True, False, None}


ATTRIBUTES = st.dictionaries(st.sampled_from(["stack", "ecs.instance-type", "zone"]), VALUES, max_size=3)


@given(EXPRESSIONS, ATTRIBUTES, ATTRIBUTES)
def test_c50_a_verdict_holds_whatever_else_comes_to_be_known(
    expression: Expression, known: dict[str, str], more: dict[str, str]
) -> None:
    early = evaluate(expression, Candidate("some", known, {}))
    late = evaluate(expression, Candidate("some", more | known, {"runningTasksCount": "2"}, complete=True))
    assert early is None or early == late


@given(EXPRESSIONS, ATTRIBUTES)
def test_c50_not_is_the_opposite_and_undecided_stays_undecided(expression: Expression, known: dict[str, str]) -> None:
    candidate = Candidate("some", known, {})
    value = evaluate(expression, candidate)
    assert evaluate(Not(expression), candidate) is (None if value is None else not value)
    assert evaluate(All((expression, expression)), candidate) is value
    assert evaluate(Any((expression, expression)), candidate) is value
