"""What builds images on this machine or for it: buildx's builders, BuildKit, the Dockerfile and its context."""
