"""What the operator's own checks ask: HTTP endpoints, commands, webhooks, Prometheus servers."""
