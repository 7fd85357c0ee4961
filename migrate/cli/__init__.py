"""The command line: a file a verb; it decides nothing."""
