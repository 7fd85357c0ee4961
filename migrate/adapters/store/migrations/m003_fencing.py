"""Version 3: every claim has a token that grows from claim to claim, and says when its holder was last heard of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, text


def apply(connection: Connection) -> None:
    """Add the tokens and the heartbeat.

    A claim of before has never been heard of (NULL): its program does not say when it lives, and goes without a token.
    """
    metadata = MetaData()
    Table(
        "migrate_tokens",
        metadata,
        Column("service", Text, primary_key=True),
        Column("token", BigInteger, nullable=False),
    )
    metadata.create_all(connection, checkfirst=False)
    connection.execute(text("ALTER TABLE migrate_claims ADD COLUMN token BIGINT NOT NULL DEFAULT 0"))
    connection.execute(text("ALTER TABLE migrate_claims ADD COLUMN heard_at DOUBLE PRECISION"))
