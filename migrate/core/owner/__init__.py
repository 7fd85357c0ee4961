"""Who else manages a service, what he has to change, and whether that is what arrived."""
