"""Container registries: the OCI distribution protocol, layers and the binaries in them."""
