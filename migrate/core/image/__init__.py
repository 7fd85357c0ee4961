"""What an image is: its documents, its files, and whether its arm64 half would run."""
