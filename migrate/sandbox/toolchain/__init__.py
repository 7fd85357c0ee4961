"""The real tools that the sandbox runs: found on this machine when new enough, else built once and kept.

``parts.ensure`` makes them ready. This file imports nothing: ``bootstrap`` runs before any dependency is installed.
"""
