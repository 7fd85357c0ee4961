"""Reads a stack's inputs inside a running program."""

from __future__ import annotations

import pulumi

from stacks.inputs import CONFIG_KEY, CONFIG_NAMESPACE, Inputs, inputs_from_text


def read_inputs(kind: type[Inputs]) -> Inputs:
    """Return the inputs that the stack's configuration carries. Raises SettingsError when they are of another shape."""
    return inputs_from_text(kind, pulumi.Config(CONFIG_NAMESPACE).require(CONFIG_KEY))
