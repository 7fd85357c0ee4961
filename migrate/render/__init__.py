"""What people and programs read: text, JSON; pure functions of records."""
