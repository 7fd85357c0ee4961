"""A stand-in for the plugin ``pulumi-resource-aws``, for machines that cannot fetch the real one.

It speaks the Pulumi provider protocol as pulumi-aws 7.51.1 does, for seven resource types of ECS and ECR and the
functions beside them, with the semantics of the Terraform provider behind it (reference/provider.md). Anything else is
refused by name, and so is every endpoint that is not on loopback: it never touches AWS.

Start: the engine runs ``pulumi-resource-aws`` from PATH. The sandbox writes that file as::

    #!/bin/sh
    exec <project environment>/bin/python -m migrate.sandbox.aws_plugin "$@"

and gives the engine endpoints by ``AWS_ENDPOINT_URL`` (or the provider's ``endpoints``), with TLS ``AWS_CA_BUNDLE``
as well.
``python -m migrate.sandbox.aws_plugin`` prints its port as the first line of standard output and serves until it is
told to cancel and killed by the engine.
"""
