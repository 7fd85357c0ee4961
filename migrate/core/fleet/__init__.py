"""What is decided about many services at once: which they are, who goes when, when to stop, who works on them."""
