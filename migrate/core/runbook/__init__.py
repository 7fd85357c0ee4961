"""Runbooks as values, and a walk through one."""
