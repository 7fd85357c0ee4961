"""The Pulumi engine, driven through the Automation API.

Imports nothing by itself: the engine's libraries are slow to load, and most commands do without them.
"""
