"""The shell around the core: observe, decide, act, record; each act is a durable step."""
