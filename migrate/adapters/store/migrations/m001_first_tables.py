"""Version 1: records, runs, events, plans and claims."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text


def apply(connection: Connection) -> None:
    """Make the tables of version 1, written out here so that later versions of tables.py do not change it."""
    metadata = MetaData()
    sequence = BigInteger().with_variant(Integer, "sqlite")
    Table(
        "migrate_records",
        metadata,
        Column("service", Text, primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("body", Text, nullable=False),
    )
    Table(
        "migrate_runs",
        metadata,
        Column("sequence", sequence, primary_key=True),
        Column("id", Text, nullable=False, unique=True),
        Column("service", Text, nullable=False, index=True),
        Column("body", Text, nullable=False),
    )
    Table(
        "migrate_events",
        metadata,
        Column("sequence", sequence, primary_key=True),
        Column("run_id", Text, nullable=False, index=True),
        Column("body", Text, nullable=False),
    )
    Table(
        "migrate_plans",
        metadata,
        Column("service", Text, primary_key=True),
        Column("body", Text, nullable=False),
    )
    Table(
        "migrate_claims",
        metadata,
        Column("service", Text, primary_key=True),
        Column("run_id", Text, nullable=False),
        Column("operator", Text, nullable=False),
        Column("host", Text, nullable=False),
        Column("process", Integer, nullable=False),
        Column("since", Text, nullable=False),
        Column("machine", Text, nullable=False),
        Column("process_started", Text, nullable=True),
    )
    metadata.create_all(connection, checkfirst=False)
