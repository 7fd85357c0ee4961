from __future__ import annotations

import pytest

from migrate.core.placement.evaluation import evaluate, machine, registered, undecided_subjects
from migrate.core.placement.expression import (
    DEEPEST,
    LONGEST,
    All,
    Any,
    Comparison,
    ExpressionError,
    Not,
    Operator,
    comparisons,
    parse_expression,
)
from migrate.core.placement.instance_families import (
    GRAVITON_FAMILIES,
    GRAVITON_TYPES,
    X86_TYPES,
    imagined_graviton_types,
    named_like_graviton,
)
from tests.fakes.preflight import instance

TYPE = "attribute:ecs.instance-type"
ARM64 = machine("m7g.large", "arm64")
X86 = machine("m5.large", "x86_64")

DOCUMENTED = [
    (f"{TYPE} == t2.small", Comparison(TYPE, Operator.EQUALS, ("t2.small",))),
    (
        "attribute:ecs.availability-zone in [us-east-1a, us-east-1b]",
        Comparison("attribute:ecs.availability-zone", Operator.IN, ("us-east-1a", "us-east-1b")),
    ),
    (
        f"{TYPE} =~ g2.* and attribute:ecs.availability-zone != us-east-1d",
        All(
            (
                Comparison(TYPE, Operator.MATCHES, ("g2.*",)),
                Comparison("attribute:ecs.availability-zone", Operator.NOT_EQUALS, ("us-east-1d",)),
            )
        ),
    ),
    ("task:group == service:production", Comparison("task:group", Operator.EQUALS, ("service:production",))),
    ("not(task:group == database)", Not(Comparison("task:group", Operator.EQUALS, ("database",)))),
    ("runningTasksCount == 1", Comparison("runningTasksCount", Operator.EQUALS, ("1",))),
    ("agentVersion < 1.14.5", Comparison("agentVersion", Operator.LESS, ("1.14.5",))),
    ("registeredAt < 2018-02-13", Comparison("registeredAt", Operator.LESS, ("2018-02-13",))),
    (
        "ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']",
        Comparison("ec2InstanceId", Operator.IN, ("i-abcd1234", "i-wxyx7890")),
    ),
]


@pytest.mark.parametrize(("text", "expression"), DOCUMENTED, ids=[text for text, _ in DOCUMENTED])
def test_c50_every_example_of_the_guide_is_read(text: str, expression: object) -> None:
    assert parse_expression(text) == expression


@pytest.mark.parametrize(
    ("symbol", "word"),
    [
        ("==", "equals"),
        ("!=", "not_equals"),
        (">", "greater_than"),
        (">=", "greater_than_equal"),
        ("<", "less_than"),
        ("<=", "less_than_equal"),
        ("=~", "matches"),
        ("!~", "not_matches"),
    ],
)
def test_c50_symbols_and_words_mean_the_same(symbol: str, word: str) -> None:
    expected = Comparison("a", Operator(word), ("b",))
    assert parse_expression(f"a {symbol} b") == expected
    assert parse_expression(f"a {word} b") == expected
    assert parse_expression(f"a{symbol}b") == expected


def test_c50_existence_and_lists_have_two_spellings_too() -> None:
    assert parse_expression("a !exists") == parse_expression("a not_exists") == Comparison("a", Operator.NOT_EXISTS)
    assert parse_expression("a exists") == Comparison("a", Operator.EXISTS)
    assert parse_expression("a !in [b]") == parse_expression("a not_in[b]") == Comparison("a", Operator.NOT_IN, ("b",))
    assert parse_expression("a in []") == Comparison("a", Operator.IN, ())


def test_c50_and_binds_stronger_than_or_and_parentheses_stronger_than_both() -> None:
    a, b, c = (Comparison(name, Operator.EXISTS) for name in "abc")
    assert parse_expression("a exists or b exists and c exists") == Any((a, All((b, c))))
    assert parse_expression("(a exists || b exists) && c exists") == All((Any((a, b)), c))
    assert parse_expression("!(a exists) and !b exists") == All((Not(a), Not(b)))
    assert comparisons(parse_expression("!(a exists or b exists) and c exists")) == (a, b, c)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a =~ (m5|c5)\\..*", "(m5|c5)\\..*"),
        ("a =~ [mc]5.*", "[mc]5.*"),
        ("(a =~ m5.*)", "m5.*"),
        ("a =~ 'm5 or c5'", "m5 or c5"),
        ("a =~ m5.*&&b exists", "m5.*"),
        ("a =~ m5\\)x", "m5\\)x"),
    ],
)
def test_c50_a_pattern_may_hold_brackets_of_its_own(text: str, pattern: str) -> None:
    assert comparisons(parse_expression(text))[0] == Comparison("a", Operator.MATCHES, (pattern,))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "a",
        "a =",
        "a == ",
        "a = b",
        "a == b c",
        "(a == b",
        "a == b)",
        "a in b",
        "a in [b",
        "a in [b,]",
        "a in [b c]",
        "and",
        "a == b and",
        "not",
        "a == 'b",
        "a =~ ",
        "a ~= b",
        "== b",
        "(" * (DEEPEST + 1) + "a exists" + ")" * (DEEPEST + 1),
        "a == " + "b" * LONGEST,
    ],
)
def test_c50_what_is_not_of_the_language_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ExpressionError, match="character") as caught:
        parse_expression(text)
    assert 0 <= caught.value.position <= len(text)


@pytest.mark.parametrize(
    ("text", "arm64", "x86"),
    [
        ("attribute:ecs.cpu-architecture == x86_64", False, True),
        ("attribute:ecs.cpu-architecture == arm64", True, False),
        ("attribute:ecs.cpu-architecture != x86_64", True, False),
        (f"{TYPE} =~ m5.*", False, True),
        (f"{TYPE} !~ m5.*", True, False),
        (f"{TYPE} =~ m5", False, False),
        (f"{TYPE} in [m5.large, c6i.xlarge]", False, True),
        (f"{TYPE} !in [m5.large, c6i.xlarge]", True, False),
        (f"not({TYPE} =~ m5.*)", True, False),
        (f"{TYPE} =~ m5.* or {TYPE} =~ m7g.*", True, True),
        (f"{TYPE} =~ m5.* and attribute:stack == prod", False, None),
        (f"{TYPE} =~ m7g.* or attribute:stack == prod", True, None),
        ("attribute:stack == prod", None, None),
        ("not(attribute:stack == prod)", None, None),
        ("attribute:ecs.os-type == linux", True, True),
        ("attribute:ecs.availability-zone == us-east-1a", None, None),
        ("attribute:ecs.availability-zone exists", True, True),
        ("attribute:ecs.availability-zone !exists", False, False),
        ("attribute:stack exists", None, None),
        ("attribute:ecs.capability.external exists", False, False),
        ("runningTasksCount < 3", None, None),
        ("agentConnected == true", None, None),
        ("task:group == service:production", None, None),
        (f"{TYPE} =~ (m5", None, None),
        (f"{TYPE} =~ \\p{{Lower}}+5.*", None, None),
        (f"{TYPE} > m5.large", None, None),
    ],
)
def test_c50_three_values_for_a_machine_that_nobody_has_started(
    text: str, arm64: bool | None, x86: bool | None
) -> None:
    expression = parse_expression(text.replace("(m5", "'(m5'"))
    assert (evaluate(expression, ARM64), evaluate(expression, X86)) == (arm64, x86)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("attribute:stack == prod", True),
        ("attribute:stack != prod", False),
        ("attribute:team == a", False),
        ("attribute:team != a", False),
        ("not(attribute:team == a)", True),
        ("attribute:team !exists", True),
        ("runningTasksCount == 0", True),
        ("runningTasksCount > 10", False),
        ("agentConnected == true", True),
        ("ec2InstanceId == i-m7g.large", True),
        ("registeredAt < 2018-02-13", None),
    ],
)
def test_c50_a_registered_instance_is_known_whole(text: str, value: bool | None) -> None:
    assert evaluate(parse_expression(text), registered(instance("m7g.large", "arm64", stack="prod"))) is value


def test_c50_what_keeps_it_undecided_is_named() -> None:
    expression = parse_expression(f"{TYPE} =~ m7g.* and attribute:stack == prod and runningTasksCount < 3")
    assert undecided_subjects(expression, ARM64) == ("attribute:stack", "runningTasksCount")


def test_versions_are_ordered_by_their_numbers() -> None:
    assert evaluate(parse_expression("runningTasksCount < 10"), registered(instance("m7g.large", "arm64"))) is True
    old = registered(instance("a1.large", "arm64"))
    known = {**old.subjects, "agentVersion": "1.9.2"}
    assert evaluate(parse_expression("agentVersion < 1.14.5"), type(old)("a", old.attributes, known)) is True


def test_c50_graviton_families_and_x86_ones_do_not_mix() -> None:
    for family in ("a1", "t4g", "m6g", "m7g", "m8g", "c6gn", "c7gn", "x2gd", "im4gn", "is4gen", "i4g", "hpc7g", "g5g"):
        assert family in GRAVITON_FAMILIES
    assert all(named_like_graviton(name) for name in GRAVITON_TYPES)
    assert not any(named_like_graviton(name) for name in X86_TYPES)
    assert len(set(GRAVITON_TYPES)) == len(GRAVITON_TYPES)


def test_c50_later_families_are_imagined_and_no_known_type_is() -> None:
    imagined = imagined_graviton_types(("m5.large", "m7g.large", "q9g.large"))
    assert {"m9g.large", "q9g.large"} <= set(imagined)
    assert not {"m5.large", "m7g.large"} & set(imagined)
