"""Reads expressions of ECS's cluster query language, as placement constraints of type memberOf hold them.

Grammar: ECS developer guide, "Create expressions to define container instances for Amazon ECS tasks": ``subject
operator [argument]``, combined with and/&&, or/||, not/! and parentheses. Arguments of =~ and !~ are Java regular
expressions, which may hold brackets and parentheses of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

LONGEST = 2000
DEEPEST = 100
"""Levels of parentheses and negations that are followed; nobody writes that many."""


class Operator(StrEnum):
    """The operators, under their word names; symbols mean the same."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    GREATER = "greater_than"
    GREATER_EQUAL = "greater_than_equal"
    LESS = "less_than"
    LESS_EQUAL = "less_than_equal"
    EXISTS = "exists"
    NOT_EXISTS = "not_exists"
    IN = "in"
    NOT_IN = "not_in"
    MATCHES = "matches"
    NOT_MATCHES = "not_matches"


_SYMBOLS = (
    ("==", Operator.EQUALS),
    ("!=", Operator.NOT_EQUALS),
    (">=", Operator.GREATER_EQUAL),
    ("<=", Operator.LESS_EQUAL),
    ("=~", Operator.MATCHES),
    ("!~", Operator.NOT_MATCHES),
    (">", Operator.GREATER),
    ("<", Operator.LESS),
    ("!exists", Operator.NOT_EXISTS),
    ("!in", Operator.NOT_IN),
)
_PATTERNS = frozenset({Operator.MATCHES, Operator.NOT_MATCHES})
_LISTS = frozenset({Operator.IN, Operator.NOT_IN})
_BARE = frozenset({Operator.EXISTS, Operator.NOT_EXISTS})
_WORDS = {operator.value: operator for operator in Operator}
_ENDS_OF_A_WORD = "()[],"
_OPENING = {"(": ")", "[": "]"}


class ExpressionError(ValueError):
    """An expression that is not of the language; ``position`` counts characters from 0."""

    def __init__(self, text: str, position: int) -> None:
        super().__init__(f"{text} at character {position + 1}")
        self.position = position


@dataclass(frozen=True, slots=True)
class Comparison:
    """``subject operator [arguments]``; only in and not_in have other than one argument, exists has none."""

    subject: str
    operator: Operator
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    inside: Expression


@dataclass(frozen=True, slots=True)
class All:
    """All of them: and, &&."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of them: or, ||."""

    parts: tuple[Expression, ...]


Expression: TypeAlias = "Comparison | Not | All | Any"


def parse_expression(text: str) -> Expression:
    """Return the expression that ``text`` spells. Raises ExpressionError."""
    if len(text) > LONGEST:
        raise ExpressionError(f"The expression is longer than {LONGEST} characters", LONGEST)
    return _Reader(text).whole()


def comparisons(expression: Expression) -> tuple[Comparison, ...]:
    """Return every comparison of the expression, in the order written."""
    if isinstance(expression, Comparison):
        return (expression,)
    parts = (expression.inside,) if isinstance(expression, Not) else expression.parts
    return tuple(found for part in parts for found in comparisons(part))


class _Reader:
    """A recursive descent over the characters: what a word may hold depends on the operator before it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> Expression:
        expression = self._either()
        if self._rest():
            raise self._error("The expression ought to end")
        return expression

    def _either(self) -> Expression:
        parts = [self._both()]
        while self._take("||", "or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _both(self) -> Expression:
        parts = [self._one()]
        while self._take("&&", "and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error("The expression is nested too deeply")
        try:
            if self._take("!", "not"):
                return Not(self._one())
            if self._take("("):
                inside = self._either()
                self._expect(")")
                return inside
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Comparison:
        subject = self._word("a subject")
        operator = self._operator()
        if operator in _BARE:
            return Comparison(subject, operator)
        if operator in _LISTS:
            return Comparison(subject, operator, self._list())
        if operator in _PATTERNS:
            return Comparison(subject, operator, (self._pattern(),))
        return Comparison(subject, operator, (self._word("a value"),))

    def _operator(self) -> Operator:
        rest = self._rest()
        for symbol, operator in _SYMBOLS:
            if rest.startswith(symbol) and (not symbol[-1].isalpha() or not _goes_on(rest, len(symbol))):
                self._at += len(symbol)
                return operator
        start = self._at
        word = self._word("an operator")
        if word not in _WORDS:
            self._at = start
            raise self._error("An operator is missing")
        return _WORDS[word]

    def _list(self) -> tuple[str, ...]:
        self._expect("[")
        found: list[str] = []
        while not self._take("]"):
            if found:
                self._expect(",")
            found.append(self._word("a value"))
        return tuple(found)

    def _pattern(self) -> str:
        quoted = self._quoted()
        if quoted is not None:
            return quoted
        start, open_ones = self._at, []
        while self._at < len(self._text):
            here = self._text[self._at]
            if here == "\\":
                self._at += 1
            elif here in _OPENING:
                open_ones.append(_OPENING[here])
            elif open_ones and here == open_ones[-1]:
                open_ones.pop()
            elif not open_ones and self._ends_here(")"):
                break
            self._at += 1
        self._at = min(self._at, len(self._text))
        if self._at == start:
            raise self._error("A pattern is missing")
        return self._text[start : self._at]

    def _word(self, what: str) -> str:
        quoted = self._quoted()
        if quoted is not None:
            return quoted
        start = self._at
        while self._at < len(self._text) and not self._ends_here(_ENDS_OF_A_WORD + "=<>~"):
            self._at += 1
        word = self._text[start : self._at]
        if word.endswith("!"):
            # ``a!=b``: the mark belongs to the operator.
            self._at -= 1
            word = word[:-1]
        if not word:
            raise self._error(f"There ought to be {what}")
        return word

    def _quoted(self) -> str | None:
        rest = self._rest()
        if rest[:1] not in {"'", '"'}:
            return None
        end = rest.find(rest[0], 1)
        if end < 0:
            raise self._error("A quotation is not closed")
        self._at += end + 1
        return rest[1:end]

    def _ends_here(self, marks: str) -> bool:
        here = self._text[self._at]
        return here.isspace() or here in marks or self._text.startswith(("&&", "||"), self._at)

    def _take(self, *spellings: str) -> bool:
        rest = self._rest()
        for spelling in spellings:
            if not rest.lower().startswith(spelling):
                continue
            if spelling.isalpha() and _goes_on(rest, len(spelling)):
                continue
            if spelling == "!" and rest[1:2] in {"=", "~"}:
                continue
            self._at += len(spelling)
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise self._error(f"{mark} is missing")

    def _rest(self) -> str:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._text[self._at :]

    def _error(self, text: str) -> ExpressionError:
        return ExpressionError(text, self._at)


def _goes_on(text: str, end: int) -> bool:
    """Tell whether a word goes on after ``end``: ``instance`` does not begin with the operator in."""
    return end < len(text) and (text[end].isalnum() or text[end] in "_-.:/\\")
