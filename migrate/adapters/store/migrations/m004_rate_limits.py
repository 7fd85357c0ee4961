"""Version 4: the rates of AWS that all workers keep to together."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Double, MetaData, Table, Text


def apply(connection: Connection) -> None:
    """Make the table of buckets."""
    metadata = MetaData()
    Table(
        "migrate_rate_limits",
        metadata,
        Column("account", Text, primary_key=True),
        Column("region", Text, primary_key=True),
        Column("api_group", Text, primary_key=True),
        Column("full_at", Double, nullable=False),
    )
    metadata.create_all(connection, checkfirst=False)
