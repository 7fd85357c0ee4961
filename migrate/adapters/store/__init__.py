"""What a migration must remember: records, runs and evidence in one SQL database."""
