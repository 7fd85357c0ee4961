"""Evidence that names the place: a JSON path in the description of service or task definition, and its value."""

from __future__ import annotations

from migrate.core.documents import Json, document

Evidence = tuple[tuple[str, str], ...]

_LONGEST = 200


def in_service(path: str, value: Json = None) -> Evidence:
    """Return evidence of a setting of the service, by its path below DescribeServices' service: ``$.tags[0]``."""
    return _at("service", path, value)


def in_task_definition(path: str, value: Json = None) -> Evidence:
    """Return evidence of a field, by its path below DescribeTaskDefinition's taskDefinition: ``$.cpu``."""
    return _at("task definition", path, value)


def _at(whose: str, path: str, value: Json) -> Evidence:
    place = (whose, path)
    if value is None:
        return (place,)
    name = path.rpartition(".")[2].partition("[")[0]
    return (place, (name, shown(value)))


def shown(value: Json) -> str:
    """Return a value as an operator reads it, cut where it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        text = str(document(value))
    elif isinstance(value, list):
        text = ", ".join(shown(item) for item in value) or "[]"
    else:
        text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
