"""A whole AWS account, registry, builder and engine on loopback, for demos and tests."""
