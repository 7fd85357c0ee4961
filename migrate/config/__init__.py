"""migrate.toml and the environment, read once and turned into core records."""
