"""The image stack: what the tag points at."""

PUBLISHED = "published"
