"""Pure decisions about a migration: facts in, values out; no clock, no I/O, no third party."""
