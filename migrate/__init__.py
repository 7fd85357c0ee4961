"""Moves a running Amazon ECS service from amd64 to ARM64 and on to Spot, one reversible stage at a time."""

__version__ = "0.1.0"
