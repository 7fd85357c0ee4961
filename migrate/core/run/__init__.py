"""A run looked at: while it works, and afterwards."""
