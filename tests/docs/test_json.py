"""What documents.md says of the JSON is what the schema says."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from migrate.core.check import FailOn, Readiness
from migrate.core.findings import Grade
from tests.docs.markdown import ROOT, code_blocks

PATH = ROOT / "migrate" / "render" / "documents.md"
TEXT = PATH.read_text(encoding="utf-8")
SCHEMA: dict[str, Any] = json.loads((ROOT / "migrate" / "render" / "documents.schema.json").read_bytes())
DOCUMENTS = [item["$ref"].rpartition("/")[2] for item in SCHEMA["oneOf"]]
_ROW = re.compile(r"^\| `(?P<document>(?!document)\w+)` \| [^|\n]+ \| (?P<keys>[^|\n]+) \|$", re.MULTILINE)


def test_every_kind_of_document_is_told_and_no_other() -> None:
    assert sorted(row["document"] for row in _ROW.finditer(TEXT)) == sorted(DOCUMENTS)


@pytest.mark.parametrize("row", list(_ROW.finditer(TEXT)), ids=lambda row: row["document"])
def test_the_keys_that_are_told_exist(row: re.Match[str]) -> None:
    for path in re.findall(r"`([^`]+)`", row["keys"]):
        schema = SCHEMA["$defs"][row["document"]]
        for key in path.split("."):
            schema = schema["properties"][key.removesuffix("[]")]
            schema = schema["items"] if key.endswith("[]") else schema


def test_the_finding_that_is_shown_is_one() -> None:
    (shown,) = code_blocks(PATH, "json")
    schema = {**SCHEMA["$defs"]["finding"], "$defs": SCHEMA["$defs"], "additionalProperties": False}
    jsonschema.validate(json.loads(shown), schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("word", [*Grade, *Readiness])
def test_every_word_of_a_grade_and_an_answer_is_told(word: str) -> None:
    assert f"`{word}`" in TEXT


@pytest.mark.parametrize("word", FailOn)
def test_every_word_of_fail_on_is_told_in_the_readme(word: FailOn) -> None:
    assert f"`{word}`" in (ROOT / "README.md").read_text(encoding="utf-8")
