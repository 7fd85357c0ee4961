"""What a service costs, and the rates behind that."""
