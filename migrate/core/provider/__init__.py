"""What the AWS provider of Pulumi can express of a service and a task definition, and what it has no word for."""
