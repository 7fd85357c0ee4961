from __future__ import annotations

import tempfile
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.config import load, render_settings
from migrate.config.keys import KEYS, PRICE_KEYS, STRATEGY_KEYS, TABLES
from migrate.config.model import PricesTable, SettingsFile, StrategyTable
from migrate.config.notification_keys import WEBHOOK_EXAMPLE, WEBHOOK_KEYS
from migrate.config.notification_tables import NotifiedWebhookTable
from migrate.core.cost.prices import HourlyRates
from migrate.core.facts import Strategy, StrategyItem
from migrate.core.notifications import NotificationSettings, NotifiedEvent, WebhookTarget
from migrate.core.settings import (
    ArchitectureMode,
    GateSettings,
    ImageMode,
    ImageSettings,
    ServiceSettings,
    Settings,
)

NEW = Settings(ServiceSettings("demo", "web"), ImageSettings("app"))
TEXTS = st.text(min_size=1, max_size=12)
OPTIONAL = st.none() | TEXTS
RATES = st.decimals(min_value=0, max_value=1000, places=6)


@st.composite
def strategies(draw: st.DrawFn) -> Strategy:
    fargate = draw(st.booleans())
    names = (
        ["FARGATE", "FARGATE_SPOT"] if fargate else draw(st.lists(asg_names(), min_size=1, max_size=20, unique=True))
    )
    weights = draw(st.lists(st.integers(0, 1000), min_size=len(names), max_size=len(names)))
    weights[draw(st.integers(0, len(names) - 1))] = draw(st.integers(1, 1000))
    based = draw(st.integers(0, len(names) - 1))
    base = draw(st.integers(0, 100_000))
    return tuple(
        StrategyItem(name, weight, base if position == based else 0)
        for position, (name, weight) in enumerate(zip(names, weights, strict=True))
    )


def asg_names() -> st.SearchStrategy[str]:
    return TEXTS.filter(lambda name: not name.casefold().startswith(("aws", "ecs", "fargate")))


@st.composite
def gates(draw: st.DrawFn) -> GateSettings:
    interval = draw(st.integers(1, 10**5))
    soak = draw(st.integers(0, 10**5))
    return GateSettings(
        interval=timedelta(seconds=interval),
        soak=timedelta(seconds=soak),
        deadline=timedelta(seconds=max(interval, soak) + draw(st.integers(1, 10**6))),
        failure_limit=draw(st.integers(0, 10**6)),
        error_limit=draw(st.integers(0, 10**6)),
        alarms=tuple(draw(st.lists(TEXTS, max_size=3))),
    )


RATE_TABLES = st.builds(
    HourlyRates,
    region=st.text(max_size=12),
    x86_vcpu=RATES,
    x86_gb=RATES,
    arm_vcpu=RATES,
    arm_gb=RATES,
    source=TEXTS,
    date=TEXTS,
    currency=TEXTS,
)

VARIABLES = st.sampled_from(["TOKEN", "_of_mine", "KEY2"])
TOPICS = st.sampled_from([f"arn:aws:sns:us-east-1:111122223333:{name}" for name in ("a", "b.fifo")])
BUSES = st.sampled_from(["default", "arn:aws-cn:events:cn-north-1:111122223333:event-bus/a/b"])
WEBHOOKS = st.builds(
    WebhookTarget,
    url=st.sampled_from(["https://example.com/a?b=c", "http://localhost:8080"]),
    secret=st.just("") | VARIABLES,
    headers=st.dictionaries(st.sampled_from(["X-A", "b"]), VARIABLES).map(lambda pairs: tuple(pairs.items())),
) | st.builds(WebhookTarget, url_from=VARIABLES)
TOLD = st.builds(
    NotificationSettings,
    events=st.lists(st.sampled_from(NotifiedEvent), unique=True).map(tuple),
    topics=st.lists(TOPICS, unique=True).map(tuple),
    event_buses=st.lists(BUSES, unique=True).map(tuple),
    timeout=st.integers(1, 60).map(lambda seconds: timedelta(seconds=seconds)),
    webhooks=st.lists(WEBHOOKS, max_size=3).map(tuple),
)

ALL_SETTINGS = st.builds(
    Settings,
    service=st.builds(ServiceSettings, cluster=TEXTS, name=TEXTS, region=OPTIONAL),
    image=st.builds(
        ImageSettings,
        container=TEXTS,
        mode=st.sampled_from(ImageMode),
        context=TEXTS,
        dockerfile=OPTIONAL,
        target=OPTIONAL,
        builder=OPTIONAL,
        build_arguments=st.dictionaries(st.text(max_size=8), st.text(max_size=8)).map(
            lambda pairs: tuple(pairs.items())
        ),
    ),
    architecture=st.sampled_from(ArchitectureMode),
    canary_share=st.integers(1, 100),
    capacity=strategies(),
    gate=gates(),
    capacity_steps=st.sets(st.integers(1, 99), max_size=5).map(lambda found: tuple(sorted(found))),
    step_soak=st.none() | st.just(timedelta(0)) | st.just(timedelta(seconds=1)),
    notifications=TOLD,
    prices=st.lists(RATE_TABLES, max_size=2, unique_by=lambda rates: rates.region).map(tuple),
)


@settings(deadline=None)
@given(wanted=ALL_SETTINGS, remarks=st.lists(st.text(), max_size=2))
def test_what_is_rendered_is_loaded_back(wanted: Settings, remarks: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "migrate.toml"
        path.write_bytes(render_settings(wanted, remarks=remarks).encode())
        assert load(path) == wanted


def test_every_key_is_explained_and_its_default_shown() -> None:
    text = render_settings(NEW)
    for key in KEYS:
        assert all(f"# {line}" in text for line in key.explanation.split("\n"))
    for default in ('# Default: "15s"', '# Default: "extend"', "# Default: 0\nfailure_limit", "# Default: []"):
        assert default in text
    assert '# Default: [ { provider = "FARGATE", weight = 1, base = 1 }, { provider = "FARGATE_SPOT"' in text


def test_every_example_becomes_valid_when_its_sign_is_taken_away(tmp_path: Path) -> None:
    lines = render_settings(NEW).split("\n")
    # [program] goes with another owner than the one of a new file.
    examples = {key.example for key in (*KEYS, *PRICE_KEYS) if key.example and key.table != "program"}
    examples |= {"[image.build_arguments]", 'GO_VERSION = "1.26"', "[prices.us-east-1]"}
    examples |= {"[[notifications.webhook]]", *WEBHOOK_EXAMPLE}
    opened = [line.removeprefix("# ") if line.removeprefix("# ") in examples else line for line in lines]
    path = tmp_path / "migrate.toml"
    path.write_text("\n".join(opened))
    loaded = load(path)
    assert loaded.service.region == "us-east-1"
    assert NotifiedEvent.STARTED not in loaded.notifications.events
    assert [webhook.secret for webhook in loaded.notifications.webhooks] == ["MIGRATE_WEBHOOK_SECRET"]
    assert loaded.image.target == "release"
    assert loaded.image.build_arguments == (("GO_VERSION", "1.26"),)
    assert [rates.source for rates in loaded.prices] == ["AWS Pricing API"]


def test_remarks_stand_at_the_head_and_cannot_break_out_of_their_comment() -> None:
    text = render_settings(NEW, remarks=["Seen on 25 Nov", 'evil\n[service]\r\x00name = "x"'])
    assert "# Seen on 25 Nov\n" in text
    assert tomllib.loads(text)["service"]["name"] == "web"


def test_no_line_is_longer_than_a_screen() -> None:
    assert max(len(line) for line in render_settings(NEW).split("\n")) <= 120


@pytest.mark.parametrize("table", TABLES)
def test_the_described_keys_are_the_keys_that_are_read(table: str) -> None:
    described = [key.name for key in KEYS if key.table == table]
    annotation = SettingsFile.model_fields[table].annotation
    if table == "prices":
        assert described == []
        return
    models = [annotation, *getattr(annotation, "__args__", ())]
    fields = next(model.model_fields for model in models if hasattr(model, "model_fields"))
    assert list(fields) == described


def test_the_described_keys_of_items_are_the_keys_that_are_read() -> None:
    assert [key.name for key in STRATEGY_KEYS] == list(StrategyTable.model_fields)
    assert [key.name for key in WEBHOOK_KEYS] == list(NotifiedWebhookTable.model_fields)
    assert [key.name for key in PRICE_KEYS] == list(PricesTable.model_fields)
    assert list(TABLES) == list(SettingsFile.model_fields)
