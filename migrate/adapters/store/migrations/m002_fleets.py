"""Runs over fleets: the runs, their members, and the workers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text


def apply(connection: Connection) -> None:
    """Make the tables, written out here so that later versions of fleet_tables.py do not change them."""
    metadata = MetaData()
    Table(
        "migrate_fleet_runs",
        metadata,
        Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("id", Text, nullable=False, unique=True),
        Column("fleet", Text, nullable=False, index=True),
        Column("body", Text, nullable=False),
    )
    Table(
        "migrate_fleet_members",
        metadata,
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
    Table(
        "migrate_workers",
        metadata,
        Column("id", Text, primary_key=True),
        Column("host", Text, nullable=False),
        Column("process", Integer, nullable=False),
        Column("machine", Text, nullable=False),
        Column("process_started", Text, nullable=True),
        Column("concurrency", Integer, nullable=False),
        Column("beat", Integer, nullable=False),
    )
    metadata.create_all(connection, checkfirst=False)
