"""A report in Chromium: as people see it, wide and narrow, in light, dark and print, by keyboard and read aloud.

``MIGRATE_SCREENSHOTS=update`` takes the screenshots anew; look at them before they are committed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has no annotations
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page, sync_playwright

from migrate.adapters.store.codec import decode
from migrate.core.evidence import Event, Run
from migrate.core.run.report import Report, report
from migrate.render.report_page import page as html_of
from tests.fakes.reported import HOSTILE, a_hostile_report

CHROMIUM = shutil.which("chromium")
FONTS = Path("/usr/share/fonts/truetype/dejavu")
SCREENSHOTS = Path(__file__).parent / "screenshots"
REQUIRED = os.environ.get("MIGRATE_CHROMIUM") == "required"

pytestmark = pytest.mark.skipif(
    not REQUIRED and (CHROMIUM is None or not FONTS.is_dir()),
    reason="needs Debian's packages chromium and fonts-dejavu-core",
)

DESKTOP, PHONE, PAPER = 1100, 390, 794
LOOKS = {
    "desktop-light": (DESKTOP, "light", "screen"),
    "phone-dark": (PHONE, "dark", "screen"),
    "print": (PAPER, "light", "print"),
}
_STORED, _COMPARED = 2, 3
"""By how much a screenshot is reduced to be stored, and by how much more before it is compared."""
_DIFFERENT, _MOST_DIFFERENT = 48, 0.003
"""From which difference of grey on a pixel counts, and which share of them may: no two browsers smooth alike."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Give a browser that knows one family of fonts, whatever else the machine has."""
    folder = tmp_path_factory.mktemp("fonts")
    (folder / "fonts.conf").write_text(
        f"<fontconfig><dir>{FONTS}</dir><cachedir>{folder}</cachedir>"
        '<match><edit name="family" mode="prepend" binding="strong"><string>DejaVu Sans</string></edit></match>'
        "</fontconfig>",
        encoding="utf-8",
    )
    with sync_playwright() as playwright:
        assert CHROMIUM is not None
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            chromium_sandbox=os.geteuid() != 0,
            env={**os.environ, "FONTCONFIG_FILE": str(folder / "fonts.conf")},
        )
        yield started
        started.close()


def a_kept_report() -> Report:
    """Return the report of a run that was kept, so that no screenshot changes with what a run says today."""
    kept = json.loads((Path(__file__).parent / "evidence.json").read_bytes())
    runs = [decode(Run, json.dumps(item)) for item in (kept["run"], *kept["runs"])]
    return report(runs[0], [decode(Event, json.dumps(item)) for item in kept["events"]], runs[1:])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the addresses of two reports."""
    folder = tmp_path_factory.mktemp("reports")
    (folder / "report.html").write_text(html_of(a_kept_report()), encoding="utf-8")
    (folder / "hostile.html").write_text(html_of(a_hostile_report()), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in ("report", "hostile")}


@pytest.mark.parametrize("name", ["report", "hostile"])
def test_it_opens_offline_without_an_error_a_script_or_a_request(
    browser: Browser, written: dict[str, str], name: str
) -> None:
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        told: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("dialog", lambda dialog: told.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(written[name])
        page.locator("details").evaluate_all("found => found.forEach(one => one.open = true)")
        assert (told, asked) == ([], [written[name]])
        assert page.locator("svg").count() >= 4
        if name == "hostile":
            assert "taken" not in page.title().split(":")[0]
            text = page.locator("body").text_content() or ""
            assert all(bad in text for bad in HOSTILE[:5])


def test_its_policy_holds_even_if_markup_came_in(browser: Browser, written: dict[str, str]) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("requestfinished", lambda request: asked.append(request.url))
        page.goto(written["report"])
        came_in = """() => {
            for (const [tag, name, value] of [
                ["script", "textContent", "document.title = 'taken'"],
                ["script", "src", "http://127.0.0.1:9/x.js"],
                ["img", "src", "http://127.0.0.1:9/x"],
                ["iframe", "src", "http://127.0.0.1:9/x"],
            ]) {
                const made = document.createElement(tag);
                made[name] = value;
                document.body.append(made);
            }
            const styled = "<p id=styled style='color: rgb(1, 2, 3)' onclick='x()'>x</p>";
            document.body.insertAdjacentHTML("beforeend", styled);
        }"""
        page.evaluate(came_in)
        assert page.title() != "taken"
        assert page.locator("#styled").evaluate("one => getComputedStyle(one).color") != "rgb(1, 2, 3)"
        assert asked == [written["report"]]


@pytest.mark.parametrize("look", LOOKS)
def test_it_looks_as_it_did(browser: Browser, written: dict[str, str], look: str, tmp_path: Path) -> None:
    width, scheme, media = LOOKS[look]
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        page.emulate_media(media=media, color_scheme=scheme)  # type: ignore[arg-type] # words of the table above
        page.goto(written["report"])
        taken = tmp_path / f"{look}.png"
        page.screenshot(path=taken, full_page=True)
    stored = SCREENSHOTS / f"{look}.png"
    now = reduced(Image.open(taken), _STORED)
    if os.environ.get("MIGRATE_SCREENSHOTS") == "update":
        now.quantize(128, Image.Quantize.MAXCOVERAGE).save(stored, optimize=True)
    share = difference(Image.open(stored).convert("RGB"), now)
    assert share < _MOST_DIFFERENT, f"{share:.1%} of {taken} is not as in {stored}"


def reduced(image: Image.Image, times: int) -> Image.Image:
    return image.convert("RGB").resize((image.width // times, image.height // times), Image.Resampling.BOX)


def difference(before: Image.Image, now: Image.Image) -> float:
    """Return which share of two screenshots is not the same; all of it where one is much longer."""
    if before.width != now.width or abs(before.height - now.height) > before.height / 50:
        return 1.0
    box = (0, 0, now.width, min(before.height, now.height))
    grey = [reduced(image.crop(box), _COMPARED).convert("L") for image in (before, now)]
    counted = ImageChops.difference(*grey).histogram()
    return sum(counted[_DIFFERENT:]) / sum(counted)


@pytest.mark.parametrize("look", ["desktop-light", "phone-dark"])
def test_axe_finds_nothing_that_keeps_anybody_out(browser: Browser, written: dict[str, str], look: str) -> None:
    width, scheme, _ = LOOKS[look]
    with browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True) as context:
        page = context.new_page()
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # words of the table above
        page.goto(written["report"])
        page.locator("details").evaluate_all("found => found.forEach(one => one.open = true)")
        violations = Axe().run(page).response["violations"]
    assert not [(item["id"], item["nodes"][0]["html"]) for item in violations]


def test_it_is_read_by_keyboard_and_every_drawing_has_words(browser: Browser, written: dict[str, str]) -> None:
    with browser.new_context(viewport={"width": DESKTOP, "height": 900}) as context:
        page = context.new_page()
        page.goto(written["report"])
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.url.endswith("#content")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.locator("details").first.get_attribute("open") is not None
        headings = page.locator("h1, h2, h3").evaluate_all("found => found.map(one => Number(one.tagName[1]))")
        assert headings[:1] == [1]
        assert all(after - before <= 1 for before, after in pairwise(headings))
        for drawing in page.locator(".drawing").all():
            assert "table" in (drawing.get_attribute("aria-label") or "")
        assert page.locator("table:not(:has(caption))").count() == 0


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent"))


def test_on_a_phone_only_tables_and_drawings_scroll_and_paper_hides_nothing(
    browser: Browser, written: dict[str, str]
) -> None:
    with browser.new_context(viewport={"width": 320, "height": 600}) as context:
        page = context.new_page()
        page.goto(written["hostile"])
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        page.set_viewport_size({"width": PAPER, "height": 1000})
        page.goto(written["report"])
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") == PAPER
        assert not page.get_by_role("navigation").is_visible()
        shut = page.locator("details table").last
        assert (shut.bounding_box() or {"height": 0})["height"] > 10
