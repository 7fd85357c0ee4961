"""Notifications that leave by HTTP; those over AWS are in adapters/aws/notifications.py."""
