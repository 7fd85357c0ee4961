"""Documents of the AWS API as people may see them: without values that are often secrets.

Nobody should put secrets there, and people do. No stage changes such a value, so that nothing which matters is hidden.
"""

from __future__ import annotations

from migrate.core.documents import Document, Json, document, fields
from migrate.core.service_settings import children
from migrate.core.task_definition import registrable

HIDDEN = "<not shown>"
_WITH_OPTIONS = frozenset({"logConfiguration", "firelensConfiguration"})


def shown_task_definition(text: Document) -> Document:
    """Return what a revision registers, without the values of variables and of log options."""
    shown = registrable(text)
    containers = []
    for item in children(shown, "containerDefinitions"):
        pairs = children(item, "environment")
        containers.append({**item, "environment": [{**pair, "value": HIDDEN} for pair in pairs]} if pairs else item)
    return without_options(document({**shown, "containerDefinitions": containers}))


def without_options(text: Document) -> Document:
    """Return a document without the values of log options, wherever they stand: drivers take tokens in them."""
    found = fields(text)
    hidden = _hidden(found)
    return document(hidden) if isinstance(hidden, dict) and hidden != found else text


def _hidden(value: Json) -> Json:
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if not isinstance(value, dict):
        return value
    shown = {name: _hidden(item) for name, item in value.items()}
    for name in _WITH_OPTIONS & shown.keys():
        inside = shown[name]
        options = inside.get("options") if isinstance(inside, dict) else None
        if isinstance(inside, dict) and isinstance(options, dict):
            shown[name] = {**inside, "options": dict.fromkeys(options, HIDDEN)}
    return shown
