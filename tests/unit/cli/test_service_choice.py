"""`migrate init` finds the service that is meant, and asks only where there is a choice."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrate.cli.service_choice import asked_at_the_terminal, one_of, service_meant
from migrate.core.facts import Account
from migrate.errors import SettingsError
from tests.fakes.aws_ports import FakeServiceReader
from tests.fakes.aws_world import World
from tests.fakes.clock import FakeClock


@dataclass
class Choice:
    """Answers with the last name, and remembers what it was asked."""

    asked: list[tuple[str, tuple[str, ...]]]

    def __call__(self, what: str, names: Sequence[str]) -> str:
        self.asked.append((what, tuple(names)))
        return names[-1]


class Region(FakeServiceReader):
    """A region with the clusters and services that are given."""

    def __init__(self, services: dict[str, tuple[str, ...]]) -> None:
        super().__init__(World.with_demo_service(FakeClock()))
        self.named = services

    def account(self) -> Account:
        raise AssertionError

    def clusters(self) -> tuple[str, ...]:
        return tuple(self.named)

    def services(self, cluster: str) -> tuple[str, ...]:
        return self.named[cluster]


TWO = Region({"empty": (), "shop": ("api", "web"), "tools": ("web",)})


@pytest.fixture
def choice() -> Choice:
    return Choice([])


def test_what_is_given_is_taken_and_nothing_listed(choice: Choice) -> None:
    assert service_meant(Region({}), "shop", "web", choice) == ("shop", "web")
    arn = "arn:aws:ecs:us-east-1:111122223333:service/shop/web"
    assert service_meant(Region({}), None, arn, choice) == ("shop", arn)
    assert choice.asked == []


def test_the_only_one_is_taken(choice: Choice) -> None:
    assert service_meant(Region({"a": (), "b": ("web",)}), None, None, choice) == ("b", "web")
    assert service_meant(TWO, "tools", None, choice) == ("tools", "web")
    assert service_meant(TWO, None, "api", choice) == ("shop", "api")
    assert choice.asked == []


def test_one_question_is_asked_over_all_clusters(choice: Choice) -> None:
    assert service_meant(TWO, None, None, choice) == ("tools", "web")
    assert service_meant(TWO, None, "web", choice) == ("tools", "web")
    assert choice.asked == [("service", ("shop/api", "shop/web", "tools/web")), ("service", ("shop/web", "tools/web"))]


def test_without_a_terminal_it_says_what_there_is_and_how_to_name_it() -> None:
    with pytest.raises(SettingsError) as refused:
        service_meant(TWO, None, None, None)
    assert refused.value.why == "There are: shop/api, shop/web, tools/web."
    assert refused.value.then == "Name one with --cluster and --service."
    with pytest.raises(SettingsError, match="No service was found"):
        service_meant(TWO, "empty", None, None)
    with pytest.raises(SettingsError, match="and 5 more"):
        one_of([f"s{number}" for number in range(25)], "service", "--service", None)


@pytest.mark.parametrize("answers", ["2\n", "shop/web\n", "7\nno\n\n2\n"])
def test_a_number_or_a_name_is_an_answer_and_anything_else_is_asked_again(
    answers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = tmp_path / "typed"
    typed.write_text(answers)
    with typed.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert asked_at_the_terminal("service", ["shop/api", "shop/web"]) == "shop/web"
    assert "   1  shop/api\n   2  shop/web\n" in capsys.readouterr().err
