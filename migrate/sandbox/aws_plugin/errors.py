"""What the stand-in refuses, and what AWS refused, in the words of the real plugin."""

from __future__ import annotations

from migrate.errors import EngineError


class PluginError(EngineError):
    """An operation of the plugin that cannot be done; the text is what the engine shows."""

    def __init__(self, what: str, *, then: str = "Correct the program or the provider's settings.") -> None:
        super().__init__(what, then=then)


class ApiError(PluginError):
    """An error answer of an AWS API; the text has the form of the AWS SDK for Go (reference/provider.md section 1)."""

    def __init__(self, service: str, operation: str, code: str, message: str, *, status: int, request: str) -> None:
        super().__init__(
            f"operation error {service}: {operation}, https response error StatusCode: {status}, "
            f"RequestID: {request}, {code}: {message}"
        )
        self.code = code
        self.message = message
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the extra fields: the root's own way of pickling knows only its own."""
        return (PluginError, (self.what,))


class PartialCreateError(PluginError):
    """A resource that exists although its creation failed: it stays in the state (reference/provider.md section 1)."""

    def __init__(self, what: str, resource_id: str, properties: dict[str, object]) -> None:
        super().__init__(what)
        self.resource_id = resource_id
        self.properties = properties
