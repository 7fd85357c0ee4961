"""The Pulumi engine, driven through the Automation API."""
