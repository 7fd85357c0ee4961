"""The service stack: task definitions, the service and its capacity."""
