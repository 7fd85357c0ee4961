"""Three small programs, from a single-platform image to a multi-platform one under the same tag."""
