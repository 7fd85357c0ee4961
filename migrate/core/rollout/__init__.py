"""How a service's deployments go: what they wait for, what ECS says of them, how long they take."""
