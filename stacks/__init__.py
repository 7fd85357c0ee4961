"""Pulumi programs as functions of typed inputs; an operator can also run them with plain pulumi."""
