"""The tables of the store. Bodies are JSON texts of core records; columns beside them only find and guard."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Double, Integer, MetaData, Table, Text, func

METADATA = MetaData()

_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

SCHEMA = Table(
    "migrate_schema",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("applied_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

RECORDS = Table(
    "migrate_records",
    METADATA,
    Column("service", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)
"""One row a version, never updated: what a run saves again while it is being resumed is recognised, not overwritten."""

RUNS = Table(
    "migrate_runs",
    METADATA,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("service", Text, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

EVENTS = Table(
    "migrate_events",
    METADATA,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("run_id", Text, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

PLANS = Table(
    "migrate_plans",
    METADATA,
    Column("service", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

CLAIMS = Table(
    "migrate_claims",
    METADATA,
    Column("service", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("process", Integer, nullable=False),
    Column("since", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("process_started", Text, nullable=True),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("heard_at", Double, nullable=True),
)
"""One row a service: the primary key is what makes two holders impossible. ``heard_at`` is in seconds since 1970, by
the database's clock; programs of before version 3 leave it NULL."""

TOKENS = Table(
    "migrate_tokens",
    METADATA,
    Column("service", Text, primary_key=True),
    Column("token", BigInteger, nullable=False),
)
"""The newest token of each service. Rows stay when the claim goes, so that no token is ever given twice."""

FLEET_RUNS = Table(
    "migrate_fleet_runs",
    METADATA,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("fleet", Text, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

FLEET_MEMBERS = Table(
    "migrate_fleet_members",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("arn", Text, primary_key=True),
    Column("wave", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("worker", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("exit_code", Integer, nullable=True),
    Column("next", Text, nullable=False),
    Column("runbook", Text, nullable=False),
    Column("member_run", Text, nullable=False),
    Column("started_at", Text, nullable=True),
    Column("finished_at", Text, nullable=True),
    Column("member", Text, nullable=False),
)
"""``attempt`` fences: only who holds the attempt that the row names may change it."""

WORKERS = Table(
    "migrate_workers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("process", Integer, nullable=False),
    Column("machine", Text, nullable=False),
    Column("process_started", Text, nullable=True),
    Column("concurrency", Integer, nullable=False),
    Column("beat", Integer, nullable=False),
)

RATE_LIMITS = Table(
    "migrate_rate_limits",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    Column("api_group", Text, primary_key=True),
    Column("full_at", Double, nullable=False),
)
"""One row a bucket: when it is full again, in seconds since 1970 by the database's clock."""
