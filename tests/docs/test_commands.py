from __future__ import annotations

import re

import pytest
from botocore import xform_name
from botocore.session import Session

from tests.docs.command_line import is_verb, mistake_in
from tests.docs.markdown import DOCUMENTS, ROOT, commands
from tests.docs.source import commands_told, fillings, help_examples

SHOWN = sorted({(path.name, tuple(words)) for path in DOCUMENTS for words in commands(path, "migrate")})
AWS = sorted({(path.name, tuple(words)) for path in DOCUMENTS for words in commands(path, "aws")})
MADE = sorted({(path.name, words[0]) for path in DOCUMENTS for words in commands(path, "make")})

OF_THE_AWS_CLI_ALONE = frozenset({("configure", "list"), ("sso", "login")})
"""Commands of the AWS CLI that are no API operations, and so in no service model."""
GLOBAL_OPTIONS = frozenset({"query", "output", "region", "profile"})
OF_PAGING = frozenset({"max-items", "page-size"})


@pytest.mark.parametrize(("document", "words"), SHOWN, ids=[f"{name}: {' '.join(words)}" for name, words in SHOWN])
def test_every_migrate_command_in_a_document_parses(document: str, words: tuple[str, ...]) -> None:
    assert is_verb(words) or mistake_in(words) is None, document


@pytest.mark.parametrize("told", sorted(commands_told()), ids=lambda told: told.replace("\0", "_"))
def test_every_migrate_command_that_the_program_recommends_parses(told: str) -> None:
    assert None in [mistake_in(filled.split()) for filled in fillings(told)]


@pytest.mark.parametrize("example", sorted(help_examples()))
def test_every_example_in_the_help_parses(example: str) -> None:
    assert mistake_in(example.split()) is None


def test_commands_that_do_not_exist_are_noticed() -> None:
    assert mistake_in(["apply", "--stage", "4"])
    assert mistake_in(["apply", "--stagger", "1"])
    assert mistake_in(["conquer"])
    assert not is_verb(["conquer"])
    assert mistake_in(["sandbox", "sideways"])


@pytest.mark.parametrize(("document", "words"), AWS, ids=[f"{name}: {' '.join(words)[:80]}" for name, words in AWS])
def test_every_aws_command_in_a_document_is_an_operation_with_such_parameters(
    document: str, words: tuple[str, ...]
) -> None:
    if words[:2] in OF_THE_AWS_CLI_ALONE:
        return
    model = Session().get_service_model(words[0])
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert words[1] in operations, document
    shape = model.operation_model(operations[words[1]]).input_shape
    known = {xform_name(name, "-") for name in shape.members} if shape else set()
    options = {word[2:].removeprefix("no-") for word in words[2:] if word.startswith("--")}
    assert options <= known | GLOBAL_OPTIONS | OF_PAGING, document


@pytest.mark.parametrize(("document", "target"), MADE)
def test_every_make_target_in_a_document_exists(document: str, target: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert target in targets, document


def test_the_documents_show_commands_at_all() -> None:
    assert {"README.md", "stage-0.md", "incident.md"} <= {name for name, _ in SHOWN}
    assert {"incident.md"} <= {name for name, _ in AWS}
    assert {"README.md"} <= {name for name, _ in MADE}
    assert {"apply --stage 0", "rollback --to original"} <= help_examples()
