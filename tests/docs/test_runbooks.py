from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from migrate.core.runbook.runbooks import EXIT_SECTIONS
from tests.docs.markdown import DOCUMENTS, RUNBOOKS, Section, anchors, links, sections
from tests.docs.source import finding_codes, runbook_anchors

HEADINGS = ("Meaning", "Impact", "Diagnosis", "Mitigation")
SECTIONS = [
    (path.stem, section) for path in sorted(RUNBOOKS.glob("*.md")) if path.stem != "index" for section in sections(path)
]
FINDINGS = {section.anchor for stem, section in SECTIONS if stem == "findings"}


def _targets_of_links() -> set[str]:
    found = set()
    for path in DOCUMENTS:
        for link in links(path):
            file, _, section = link.partition("#")
            found.add(f"{Path(file).stem if file else path.stem}#{section}")
    return found


def test_anchors_and_codes_are_found_at_all() -> None:
    assert {"errors#fault", "gates#tasks", "incident#rollback-incomplete"} <= runbook_anchors()
    assert {"service.controller", "image.wrong-binary", "image.tag-immutable"} <= finding_codes()


@pytest.mark.parametrize("named", sorted(runbook_anchors()))
def test_every_runbook_anchor_in_the_code_is_a_section(named: str) -> None:
    assert named in {f"{stem}#{section.anchor}" for stem, section in SECTIONS}


@pytest.mark.parametrize("code", sorted(finding_codes()))
def test_every_finding_code_has_a_section_that_names_it(code: str) -> None:
    found = next(
        section for stem, section in SECTIONS if (stem, section.anchor) == ("findings", code.replace(".", "-"))
    )
    assert f"`{code}`" in dict(found.parts)["Meaning"]


def test_no_finding_section_has_outlived_its_code() -> None:
    named = {anchor.partition("#")[2] for anchor in runbook_anchors() if anchor.startswith("findings#")}
    assert {code.replace(".", "-") for code in finding_codes()} | named == FINDINGS


@pytest.mark.parametrize("stem", ["errors", "gates", "incident"])
def test_no_other_section_has_outlived_its_use(stem: str) -> None:
    used = runbook_anchors() | _targets_of_links()
    unused = {section.anchor for of, section in SECTIONS if of == stem and f"{of}#{section.anchor}" not in used}
    assert not unused


@pytest.mark.parametrize(("stem", "section"), SECTIONS, ids=[f"{stem}#{item.anchor}" for stem, item in SECTIONS])
def test_every_section_has_the_four_parts_and_none_is_empty(stem: str, section: Section) -> None:
    assert tuple(name for name, _ in section.parts) == HEADINGS, stem
    assert all(text for _, text in section.parts)


def test_no_section_stands_twice() -> None:
    names = [(stem, section.anchor) for stem, section in SECTIONS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.name for path in DOCUMENTS])
def test_every_relative_link_resolves(path: Path) -> None:
    for link in links(path):
        if urlsplit(link).scheme:
            continue
        file, _, section = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        assert not section or section in anchors(target), link


def test_every_runbook_stands_in_the_index() -> None:
    linked = {link.partition("#")[0] for link in links(RUNBOOKS / "index.md")}
    assert {path.name for path in RUNBOOKS.glob("*.md")} - {"index.md"} <= linked


def test_an_exit_code_leads_to_the_same_section_in_the_index_and_in_the_terminal() -> None:
    table = (RUNBOOKS / "index.md").read_text(encoding="utf-8").partition("## By exit code")[2]
    for code, section in EXIT_SECTIONS.items():
        row = next(line for line in table.splitlines() if line.startswith(f"| {code.value} |"))
        assert f"({section.replace('#', '.md#')})" in row.split("|")[3].split(",")[0]


def test_the_runbooks_are_part_of_what_is_installed() -> None:
    built = tomllib.loads((RUNBOOKS.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert built["targets"]["wheel"]["force-include"] == {"runbooks": "migrate/runbooks"}
