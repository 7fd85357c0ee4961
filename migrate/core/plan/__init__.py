"""What each stage will change, what that is bound to, and how long it takes."""
