"""What the engine says of a stack: what it would do, what it left open, and whose entries are in its state."""
