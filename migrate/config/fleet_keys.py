"""Every key of fleet.toml that is not one of migrate.toml's: what it may hold."""

from __future__ import annotations

from migrate.config.key import LIMIT, TEXT, Key

_NUMBER = "a whole number, 1 or more"
_PATTERNS = 'a list of names, each with * and ? where they may differ, such as ["web", "shop/api-*"]'
_REGION = 'the name of a region, such as "us-east-1"'

FLEET_KEYS: tuple[Key, ...] = (
    Key("fleet", "name", "letters, digits, . _ and - only", "Tells the runs of this fleet apart."),
    Key("stop", "failure_limit", LIMIT, "Services that may fail before no further one is started."),
    Key("stop", "hold_between_waves", "true or false", "Whether a person says when the next wave begins."),
    Key("concurrency", "cluster", _NUMBER, "Services of one cluster at the same time, over all workers."),
    Key("concurrency", "account", _NUMBER, "Services of one account at the same time, over all workers."),
    Key("accounts", "name", f"{TEXT}, not that of another account", "What [[services]] call the account."),
    Key("accounts", "profile", "the name of an AWS profile", "Profile to reach it with, or to assume the role with."),
    Key(
        "accounts", "role_arn", 'the ARN of a role, such as "arn:aws:iam::123456789012:role/migrate"', "Role to assume."
    ),
    Key("accounts", "external_id", TEXT, "External id that the role's trust policy asks for."),
    Key("accounts", "region", _REGION, "Where its services are."),
    Key("services", "account", "the name of one of [[accounts]]", "Account to look in; the caller's own without it."),
    Key("services", "region", _REGION, "Region to look in."),
    Key(
        "services", "clusters", 'a list of names or ARNs of clusters, such as ["shop"]', "All of the region without it."
    ),
    Key("services", "names", _PATTERNS, "Names of services."),
    Key("services", "tags", 'a table of tags and patterns such as { team = "shop", tier = "*" }', "Tags of services."),
    Key("services", "exclude", _PATTERNS, "Services to leave out."),
    Key("overrides", "services", _PATTERNS, "The services that it is for."),
    Key("waves", "name", f"{TEXT}, not that of another wave", "What the wave is called."),
    Key("waves", "services", _PATTERNS, "The services of the wave."),
    Key("waves", "share", "a whole number from 1 to 100", "Percent of the fleet that the wave takes."),
)

FLEET_TABLES: dict[str, str] = {
    "fleet": "a table [fleet] with name",
    "stop": "a table [stop] with failure_limit, hold_between_waves",
    "concurrency": "a table [concurrency] with cluster, account",
    "accounts": "a list of tables [[accounts]]",
    "defaults": "tables of migrate.toml such as [defaults.image]",
    "services": "a list of tables [[services]], at least one",
    "overrides": "a list of tables [[overrides]]",
    "waves": "a list of tables [[waves]]",
}

MEMBER_TABLES = ("image", "architecture", "capacity", "gate", "notifications", "prices")
"""Tables of migrate.toml that a fleet sets for many services: all but [service], which each has found for itself."""
