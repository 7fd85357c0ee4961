"""The operator's own checks: read, explained, refused where they would prove nothing, and rendered back."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.config import load, render_settings
from migrate.config.check_keys import CHECK_EXAMPLES, CHECK_KEYS
from migrate.config.check_tables import (
    CheckTable,
    CommandTable,
    MetricTable,
    ProbeTable,
    PrometheusTable,
    WebhookTable,
)
from migrate.core.conditions import parse_condition
from migrate.core.gate_checks import (
    BUILT_IN,
    BaselineComparison,
    CheckSource,
    CommandSource,
    CommandValue,
    Direction,
    GateCheck,
    MetricSource,
    ProbeSource,
    PrometheusSource,
    WebhookSource,
)
from migrate.core.settings import GateSettings, ImageSettings, ServiceSettings, Settings
from migrate.errors import ExitCode, SettingsError

HEAD = '[service]\ncluster = "demo"\nname = "web"\n[image]\ncontainer = "app"\ncontext = "."\n'
NEW = Settings(ServiceSettings("demo", "web"), ImageSettings("app"))
GOOD_IS_LITTLE = parse_condition("<= 0.01")


def loaded(folder: Path, text: str) -> tuple[GateCheck, ...]:
    path = folder / "migrate.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load(path).gate.checks


def complaint(folder: Path, text: str, code: ExitCode = ExitCode.USAGE) -> str:
    with pytest.raises(SettingsError) as refused:
        loaded(folder, text)
    assert refused.value.exit_code is code
    return f"{refused.value.what}\n{refused.value.why}".replace(f"{folder}/", "").strip()


def test_every_kind_and_key_reaches_the_settings(tmp_path: Path) -> None:
    text = """
[[gate.metric]]
name = "errors"
namespace = "AWS/ECS"
metric = "Errors"
statistic = "p99.9"
dimensions = { Service = "web" }
period = "5m"
compare = "increase"
compare_with = "service"
window = "2h"
confidence = 0.95
tolerance = 1
minimum = 9
no_data = "fail"
interval = "1m"
count = 3
initial_delay = "2m"
failure_limit = 1
inconclusive_limit = 2
error_limit = 3
stages = [2, 3]
[[gate.probe]]
name = "page"
url = "https://example.com/"
method = "HEAD"
status = [200, 204]
contains = "ok"
timeout = "2s"
samples = 1
headers = { Authorization = "PROBE_AUTH" }
[[gate.command]]
name = "smoke"
command = ["./smoke", "-q"]
value = "stdout"
timeout = "1m"
success = "> 0 and < 5"
failure = ">= 9"
[[gate.webhook]]
name = "desk"
url = "http://localhost:1/x"
[[gate.prometheus]]
name = "rate"
url = "http://localhost:9090"
query = "up"
success = "<= 0.01"
"""
    rule = BaselineComparison(
        Direction.INCREASE, timedelta(hours=2), 0.95, 1.0, 9, no_data_fails=True, with_service=True
    )
    metric = MetricSource("AWS/ECS", "Errors", "p99.9", (("Service", "web"),), timedelta(minutes=5), rule)
    limits = {"failure_limit": 1, "inconclusive_limit": 2, "error_limit": 3, "stages": (2, 3)}
    probe = ProbeSource(
        *("https://example.com/", "HEAD", (200, 204), "ok"),
        timeout=timedelta(seconds=2),
        samples=1,
        headers=(("Authorization", "PROBE_AUTH"),),
    )
    command = CommandSource(("./smoke", "-q"), CommandValue.STDOUT, timedelta(minutes=1))
    assert loaded(tmp_path, text) == (
        GateCheck(
            "errors",
            metric,
            interval=timedelta(minutes=1),
            count=3,
            initial_delay=timedelta(minutes=2),
            **limits,  # type: ignore[arg-type] # as named
        ),
        GateCheck("page", probe),
        GateCheck("smoke", command, parse_condition("> 0 and < 5"), parse_condition(">= 9")),
        GateCheck("desk", WebhookSource("http://localhost:1/x")),
        GateCheck("rate", PrometheusSource("http://localhost:9090", "up"), GOOD_IS_LITTLE),
    )


METRIC = '[[gate.metric]]\nname = "m"\nnamespace = "N"\nmetric = "M"\nstatistic = "Sum"\n'
PROBE = '[[gate.probe]]\nname = "p"\nurl = "http://localhost/"\n'
COMMAND = '[[gate.command]]\nname = "c"\ncommand = ["true"]\n'
PROMETHEUS = '[[gate.prometheus]]\nname = "q"\nurl = "http://localhost/"\nquery = "up"\n'


@pytest.mark.parametrize(
    ("text", "kind"), [(METRIC, "metric"), (PROBE, "probe"), (COMMAND, "command"), (PROMETHEUS, "prometheus")]
)
def test_a_check_that_nothing_could_fail_is_refused_with_its_line(tmp_path: Path, text: str, kind: str) -> None:
    told = complaint(tmp_path, text, ExitCode.BLOCKED)
    assert f"migrate.toml, line 7: gate.{kind}[0] has no condition, so that nothing could ever fail it" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (METRIC + 'sucess = "< 1"', "line 12: gate.metric[0].sucess is not a known key; did you mean success?"),
        (METRIC + 'success = "few"', 'line 12: gate.metric[0].success is "few"; expected a condition such as'),
        (METRIC.replace("Sum", "p999") + 'success = "< 1"', 'line 11: gate.metric[0].statistic is "p999"; expected a'),
        (METRIC + 'success = "< 1"\nperiod = "7s"', 'line 13: gate.metric[0].period is "7s"; expected 1, 5, 10, 20'),
        (METRIC + 'success = "< 1"\nwindow = "1h"', "line 13: gate.metric[0].window says how to compare, and there"),
        (METRIC + 'success = "< 1"\ncompare = "either"', "line 13: gate.metric[0].compare stands beside a condition"),
        (METRIC + "confidence = 1", "line 12: gate.metric[0].confidence is 1; expected a number between 0 and 1"),
        (PROBE.replace("http:", "ftp:"), 'line 9: gate.probe[0].url is "ftp://localhost/"; expected an http or https'),
        (PROBE.replace("localhost", "me:pw@localhost"), "line 9: gate.probe[0].url is a URL with a name or password;"),
        (PROBE + "status = [99]", "line 10: gate.probe[0].status[0] is 99; expected a list of HTTP status codes"),
        (
            PROBE + 'status = [200]\nheaders = { A = "a b" }',
            "line 11: gate.probe[0].headers is a table; expected a table",
        ),
        (COMMAND.replace('["true"]', "[]") + 'success = "== 0"', "line 9: gate.command[0].command is a list; expected"),
        (COMMAND + 'success = "== 0"\ntimeout = "0s"', 'line 11: gate.command[0].timeout is "0s"; expected more than'),
        (
            COMMAND + 'success = "== 0"\ninterval = "9s"',
            'gate.command[0].interval is "9s", and the gate measures every',
        ),
        (COMMAND + 'success = "== 0"\nstages = [4]', "line 11: gate.command[0].stages[0] is 4; expected a list of"),
        (
            COMMAND + 'success = "== 0"\ninterval = "20m"\ncount = 4',
            "line 12: gate.command[0].count asks for measurements until 1h after the beginning; expected less than",
        ),
        (COMMAND.replace('"c"', '"tasks"') + 'success = "== 0"', 'gate.command[0].name is "tasks", that of a check'),
        (
            2 * (COMMAND + 'success = "== 0"\n'),
            'line 12: gate.command[1].name is "c", used a second time; expected a name of its own',
        ),
        ("[gate]\nmetrik = 1", "line 8: gate.metrik is not a known key; did you mean metric?"),
        ("[gate.metric]\nname = 1", "line 7: gate.metric is a table; expected a list of tables [[gate.metric]]"),
        ('[gate]\nprogress_deadline = "0s"', 'line 8: gate.progress_deadline is "0s"; expected more than 0'),
        ("[gate]\ninterruption_limit = 101", "line 8: gate.interruption_limit is 101; expected a whole number from"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    assert told in complaint(tmp_path, text)


@pytest.mark.parametrize("kind", CHECK_KEYS)
def test_the_described_keys_are_the_keys_that_are_read(kind: str) -> None:
    tables: list[type[CheckTable]] = [MetricTable, ProbeTable, CommandTable, WebhookTable, PrometheusTable]
    table = next(item for item in tables if item.kind == kind)
    assert [key.name for key in CHECK_KEYS[kind]] == list(table.model_fields)


def test_a_comparison_with_the_service_needs_a_dimension_that_names_it(tmp_path: Path) -> None:
    text = '[[gate.metric]]\nname = "a"\nnamespace = "b"\nmetric = "c"\nstatistic = "Sum"\ncompare_with = "service"\n'
    said = complaint(tmp_path, text + 'compare = "increase"\ndimensions = { Service = "other" }\n')
    assert 'is "service", and no dimension names it; expected one of them to be "web"' in said


def test_the_examples_of_a_new_file_load_when_their_signs_are_taken_away(tmp_path: Path) -> None:
    examples = {line for kind, lines in CHECK_EXAMPLES.items() for line in (f"[[gate.{kind}]]", *lines)}
    lines = render_settings(NEW).split("\n")
    path = tmp_path / "migrate.toml"
    opened = [line.removeprefix("# ") if line.removeprefix("# ") in examples else line for line in lines]
    path.write_text("\n".join(opened), encoding="utf-8")
    assert sorted(check.kind for check in load(path).gate.checks) == sorted(CHECK_KEYS)


TEXTS = st.text(min_size=1, max_size=8)
SECONDS = st.integers(1, 10**4).map(lambda seconds: timedelta(seconds=seconds))
CONDITIONS = st.sampled_from(["<= 0.01", "== 200", "> 0 and < 5", "!= -1e3"]).map(parse_condition)
HEADERS = st.dictionaries(st.sampled_from(["Authorization", "X-A"]), st.sampled_from(["TOKEN", "_B1"])).map(
    lambda pairs: tuple(pairs.items())
)
URLS = st.sampled_from(["http://localhost:1/a?b=c", "https://example.com"])
RULES = st.builds(
    BaselineComparison,
    direction=st.sampled_from(Direction),
    window=SECONDS,
    confidence=st.floats(0.5, 0.999).map(lambda value: round(value, 4)),
    tolerance=st.floats(0, 9).map(lambda value: round(value, 4)),
    minimum=st.integers(1, 99),
    no_data_fails=st.booleans(),
)
PERIODS = st.sampled_from([1, 30, 60, 300]).map(lambda seconds: timedelta(seconds=seconds))
DIMENSIONS = st.dictionaries(st.text(max_size=5), TEXTS).map(lambda pairs: tuple(pairs.items()))
MEASURED = st.builds(MetricSource, TEXTS, TEXTS, st.sampled_from(["Sum", "p99"]), DIMENSIONS, PERIODS, st.just(None))
COMPARED = st.builds(MetricSource, TEXTS, TEXTS, st.sampled_from(["Sum", "p99"]), DIMENSIONS, PERIODS, RULES)
BESIDE = st.builds(
    lambda source, rule: replace(
        source,
        dimensions=(*source.dimensions, ("ServiceName", "web")),
        baseline=replace(rule, with_service=True),
    ),
    COMPARED,
    RULES,
)
CODES = st.lists(st.integers(100, 599), min_size=1, max_size=3).map(tuple)
PROBES = st.builds(ProbeSource, URLS, st.just("GET"), CODES, st.just("") | TEXTS, SECONDS, st.integers(1, 100), HEADERS)
COMMANDS = st.builds(
    CommandSource, st.lists(TEXTS, min_size=1, max_size=3).map(tuple), st.sampled_from(CommandValue), SECONDS
)
WEBHOOKS = st.builds(WebhookSource, URLS, SECONDS, HEADERS)
QUERIES = st.builds(PrometheusSource, URLS, TEXTS, SECONDS, HEADERS)
LIMITS = st.none() | st.integers(0, 9)


@st.composite
def checks(draw: st.DrawFn) -> tuple[GateCheck, ...]:
    made: list[GateCheck] = []
    kinds: tuple[st.SearchStrategy[CheckSource], ...] = (
        MEASURED | COMPARED | BESIDE,
        PROBES,
        COMMANDS,
        WEBHOOKS,
        QUERIES,
    )
    for kind in kinds:
        for source in draw(st.lists(kind, max_size=2)):
            compares = isinstance(source, MetricSource) and source.baseline is not None
            made.append(
                GateCheck(
                    name=f"{draw(TEXTS)}-{len(made)}",
                    source=source,
                    success=None if compares else draw(CONDITIONS),
                    failure=None if compares else draw(st.none() | CONDITIONS),
                    interval=draw(st.none() | st.integers(15, 999).map(lambda seconds: timedelta(seconds=seconds))),
                    count=draw(st.integers(1, 9)),
                    initial_delay=draw(SECONDS),
                    failure_limit=draw(LIMITS),
                    inconclusive_limit=draw(LIMITS),
                    error_limit=draw(LIMITS),
                    stages=draw(st.sampled_from([(), (2, 3), (0,)])),
                )
            )
    return tuple(check for check in made if check.name not in BUILT_IN)


@settings(deadline=None)
@given(
    st.builds(
        GateSettings,
        deadline=st.just(timedelta(days=9)),
        inconclusive_limit=LIMITS,
        progress_deadline=SECONDS,
        interruption_limit=st.integers(0, 100),
        checks=checks(),
    )
)
def test_what_is_rendered_is_loaded_back(gate: GateSettings) -> None:
    wanted = Settings(ServiceSettings("demo", "web"), ImageSettings("app", context="."), gate=gate)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "migrate.toml"
        path.write_bytes(render_settings(wanted).encode())
        assert load(path) == wanted
