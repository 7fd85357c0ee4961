"""The HTML of a report: one file, nothing of others in it but text, and nothing in it that runs or fetches."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from migrate.core.run.report import report
from migrate.render import report_charts
from migrate.render.report_page import page
from tests.fakes.records import a_run
from tests.fakes.reported import HOSTILE, a_hostile_report, a_report


class Tags(HTMLParser):
    """Collects the tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def hostile() -> Tags:
    return Tags(page(a_hostile_report()))


def test_hostile_texts_stay_texts_in_tables_titles_attributes_and_drawings(hostile: Tags) -> None:
    names = {tag for tag, _ in hostile.found}
    assert not names & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "foreignobject", "image"}
    attributes = [pair for _, found in hostile.found for pair in found.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in {"src", "xlink:href", "style"}]
    assert {value[:1] for name, value in attributes if name == "href" and value} == {"#"}
    text = "".join(hostile.text)
    for bad in HOSTILE[:5]:
        assert bad in text
    assert not {"\u202e", "\x07", "\x00"} & set(text)


def test_the_policy_of_the_page_allows_its_own_style_and_nothing_else(hostile: Tags) -> None:
    (policy,) = [found["content"] for tag, found in hostile.found if found.get("http-equiv")]
    html = page(report(a_run(), (), ()))
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|https?:", style)


def test_the_same_evidence_gives_the_same_page() -> None:
    assert page(a_report()) == page(a_report())


def test_a_run_without_evidence_has_a_page_that_says_so() -> None:
    text = " ".join(Tags(page(report(a_run(), (), ()))).text)
    for told in ("has not come to an end", "No gate was watched", "No event of the service", "had no preflight"):
        assert told in text


def test_the_colours_of_the_drawings_are_those_of_the_style() -> None:
    html = page(a_report())
    used = set(re.findall(r"var\((--[\w-]+)\)", html))
    assert {"--pass", "--kind-0", "--limit"} <= used
    assert used <= set(re.findall(r"(--[\w-]+):", html))


def test_every_drawing_can_be_left_out_and_the_tables_say_the_same() -> None:
    """The library that draws is an extra: a program without it writes the page all the same."""
    code = (
        "import sys; sys.modules['vl_convert'] = None\n"
        "from migrate.render.report_page import page\n"
        "from tests.fakes.reported import a_report\n"
        "sys.stdout.write(page(a_report()))"
    )
    html = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "<svg" not in html
    assert html.count("ecs-migrate[report]") > 3
    assert Tags(html).text.count("orders failed, % in gate 2, where it changed; good is <= 1") == 1


def test_a_drawing_is_wide_enough_for_the_shortest_act() -> None:
    spec = report_charts.timeline(a_report())
    assert spec is not None
    assert all(row["from"] < row["to"] for row in spec["data"]["values"])
