"""What keeps the way back in a repository, and what would take it away."""
