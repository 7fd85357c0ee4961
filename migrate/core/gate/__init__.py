"""From what was measured of running tasks to a verdict."""
