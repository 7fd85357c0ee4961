"""The demo's service, as a team would have it before the migration, and the tour that migrates it."""
