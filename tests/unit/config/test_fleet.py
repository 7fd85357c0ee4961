"""fleet.toml: read into a fleet and the settings of each service, or every mistake with its line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from migrate.config.fleet import FleetDocument, load_fleet
from migrate.config.fleet_keys import FLEET_KEYS, FLEET_TABLES, MEMBER_TABLES
from migrate.config.fleet_model import FleetFile
from migrate.config.keys import TABLES
from migrate.core.fleet.definition import Concurrency, FleetAccount, StopRules, Wave
from migrate.core.settings import ImageMode
from migrate.errors import SettingsError

WHOLE = """
[fleet]
name = "shop-arm64"
[stop]
failure_limit = 2
hold_between_waves = false
[concurrency]
cluster = 3
account = 5
[[accounts]]
name = "production"
role_arn = "arn:aws:iam::123456789012:role/migrate"
external_id = "agreed"
profile = "hub"
region = "eu-west-1"
[defaults.image]
container = "{service}"
context = "apps/{service}"
build_arguments = { GO = "1.26", FROM = "{cluster}" }
[defaults.gate]
soak = "20m"
[[services]]
clusters = ["shop"]
tags = { team = "checkout", tier = "*" }
exclude = ["legacy-*"]
[[services]]
account = "production"
names = ["shop/web"]
region = "eu-central-1"
image = { mode = "external", context = "https://example.com/x.git" }
[[overrides]]
services = ["*/api"]
gate.soak = "5m"
image.container = "main"
image.build_arguments.GO = "1.27"
[[waves]]
name = "canary"
services = ["api"]
[[waves]]
name = "tenth"
share = 10
"""

HEAD = '[fleet]\nname = "f"\n[[services]]\nnames = ["web"]\nimage = { container = "a", context = "." }\n'


def read(folder: Path, text: str) -> FleetDocument:
    path = folder / "fleet.toml"
    path.write_text(text, encoding="utf-8")
    return load_fleet(path)


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as refused:
        read(folder, text)
    return f"{refused.value.what}\n{refused.value.why}".replace(f"{folder}/", "").strip()


def test_every_key_reaches_the_fleet(tmp_path: Path) -> None:
    fleet = read(tmp_path, WHOLE).fleet
    by_tag, by_name = fleet.selections
    account = FleetAccount(
        "production", "hub", "arn:aws:iam::123456789012:role/migrate", external_id="agreed", region="eu-west-1"
    )
    assert (fleet.name, fleet.stop, fleet.concurrency) == (
        "shop-arm64",
        StopRules(failure_limit=2, hold_between_waves=False),
        Concurrency(cluster=3, account=5),
    )
    assert (by_name.account, by_name.region, by_tag.account) == (account, "eu-central-1", FleetAccount())
    assert fleet.waves == (Wave("canary", ("api",)), Wave("tenth", share=10))
    assert by_tag.tagged({"team": "checkout", "tier": "web"})
    assert not by_tag.tagged({"team": "checkout"})
    assert by_tag.named("shop", "api")
    assert not by_tag.named("shop", "legacy-api")
    assert by_name.named("shop", "web")
    assert not by_name.named("other", "web")


def test_settings_come_from_defaults_then_the_selection_then_the_overrides(tmp_path: Path) -> None:
    document = read(tmp_path, WHOLE)
    by_tag, by_name = document.fleet.selections
    api, cart = (document.settings(by_tag, "shop", name) for name in ("api", "cart"))
    assert (api.service.cluster, api.service.name, api.image.container) == ("shop", "api", "main")
    assert (api.gate.soak, cart.gate.soak) == (timedelta(minutes=5), timedelta(minutes=20))
    assert (cart.image.container, cart.image.context) == ("cart", str(tmp_path / "apps" / "cart"))
    assert dict(api.image.build_arguments) == {"GO": "1.27", "FROM": "shop"}
    web = document.settings(by_name, "shop", "web")
    assert (web.image.mode, web.service.region) == (ImageMode.EXTERNAL, "eu-central-1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ("fleet.toml, line 1: fleet is missing; expected a table [fleet] with name.\n"
             "fleet.toml, line 1: services is missing; expected a list of tables [[services]], at least one.")),
        ("[fleet]\nname = 'a b'\n[[services]]\nnames = ['x']\n",
         'fleet.toml, line 2: fleet.name is "a b"; expected letters, digits, . _ and - only.'),
        (HEAD + "[stop]\nfailure_limits = 3\n",
         "fleet.toml, line 7: stop.failure_limits is not a known key; did you mean failure_limit?"),
        (HEAD + "[concurrency]\ncluster = 0\n",
         "fleet.toml, line 7: concurrency.cluster is 0; expected a whole number, 1 or more."),
        (HEAD + "gate.sok = '1m'\n",
         "fleet.toml, line 6: services[0].gate.sok is not a known key; did you mean soak?"),
        (HEAD + "[defaults.gate]\nsoak = '1x'\n",
         'fleet.toml, line 7: defaults.gate.soak is "1x"; expected a duration such as "15s", "10m", "1h" or "1h30m".'),
        (HEAD + "[[overrides]]\nservices = ['web']\ngate.deadline = '1m'\n",
         'fleet.toml, line 8: overrides[0].gate.deadline is "1m"; expected more than soak, which is "10m".'),
        (HEAD + "[defaults.service]\nowner = 'external'\n",
         ("fleet.toml, line 6: defaults.service is not for a fleet, which finds its services itself; leave one that "
         "other code owns out of it (exclude), and move it with a migrate.toml of its own (service.owner).")),
        (HEAD + "[service]\nowner = 'external'\n",
         ("fleet.toml, line 6: service is not for a fleet, which finds its services itself; leave one that other "
         "code owns out of it (exclude), and move it with a migrate.toml of its own (service.owner).")),
        (HEAD + "[[services]]\nimage.context = '.'\n",
         'fleet.toml, line 6: services[1] selects nothing; expected clusters, names or tags (names = ["*"] for all).'),
        (HEAD + "account = 'prod'\n[[accounts]]\nname = 'prd'\n",
         'fleet.toml, line 6: services[0].account is "prod"; did you mean "prd"?'),
        (HEAD + "[[accounts]]\nname = 'prd'\nrole_arn = 'migrate'\n",
         ('fleet.toml, line 8: accounts[0].role_arn is "migrate"; expected the ARN of a role, such as '
         '"arn:aws:iam::123456789012:role/migrate".')),
        (HEAD + "[[waves]]\nname = 'one'\nshare = 10\nservices = ['web']\n",
         "fleet.toml, line 6: waves[0] says who goes by services or by share; expected one of the two."),
        ("[fleet]\nname = 'f'\n[[services]]\nnames = ['web']\n",
         "fleet.toml, line 3: services[0].image is missing; expected a table [image] with container."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_line_and_suggestion(tmp_path: Path, text: str, told: str) -> None:
    assert complaint(tmp_path, text) == told


def test_what_an_override_may_bring_is_missed_only_by_the_service_that_lacks_it(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        "[fleet]\nname = 'f'\n[[services]]\nclusters = ['shop']\nimage.context = '.'\n"
        "[[overrides]]\nservices = ['web']\nimage.container = 'app'\n",
    )
    selection = document.fleet.selections[0]
    assert document.settings(selection, "shop", "web").image.container == "app"
    with pytest.raises(SettingsError, match=r"line 5: services\[0\]\.image\.container is missing.*shop/api"):
        document.settings(selection, "shop", "api")


def test_every_key_is_described_and_every_table_of_migrate_toml_is_there() -> None:
    for name, field in FleetFile.model_fields.items():
        assert name in FLEET_TABLES, field
    assert set(MEMBER_TABLES) == set(TABLES) - {"service", "program"}
    kinds = {"fleet", "stop", "concurrency", "accounts", "services", "overrides", "waves"}
    assert {key.table for key in FLEET_KEYS} == kinds
