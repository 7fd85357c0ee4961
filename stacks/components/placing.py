"""How a resource that stood in the program itself comes to stand in a component without anything changing."""

from __future__ import annotations

import pulumi


def at_the_root(component: pulumi.ComponentResource, options: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Return options for a child of ``component`` that the state still knows as a resource of the stack itself.

    Without the alias the engine would delete the one and create the other (Pulumi, resource options, ``aliases``).
    """
    placed = pulumi.ResourceOptions(parent=component, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])
    return pulumi.ResourceOptions.merge(options, placed)
