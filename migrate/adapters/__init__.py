"""One home for each outside system; its errors are translated once, here."""
