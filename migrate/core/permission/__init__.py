"""Which AWS calls are made, which permissions they need, and which of them the caller has."""
