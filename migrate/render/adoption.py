"""What becomes of the images in a team's state, for people and for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from migrate.core.stack.docker_state import Adoption, Fate
from migrate.render.lines import Paragraph, Rows
from migrate.render.printable import printable
from migrate.render.structured import head, plain

_STYLES = {Fate.ADOPTED: "green", Fate.RETAINED: "green", Fate.LEFT: "dim"}


def shown(value: Adoption) -> RenderableType:
    """Return every image in the state with what becomes of it."""
    if not value.images:
        return Text(f"{value.stack or 'The state'} holds no image of pulumi-docker or docker-build.")
    table = Rows()
    for image in value.images:
        name = printable(image.urn.split("::", 3)[3])
        table.add(Text(image.fate.value, _STYLES[image.fate]), Text(f"{name}, {image.type}"))
        pushed = f"{image.tag}, {image.digest}" if image.digest else image.tag
        for told in filter(None, (pushed, image.text, *image.notes)):
            table.add("", Text(printable(told)))
    return table


def ended(value: Adoption, kept: str, way_back: str, import_command: str) -> RenderableType:
    """Return how it ended; ``kept`` is where the state before is, empty where nothing was written.

    ``import_command`` is what still has to be run, empty where the stack itself was written.
    """
    if not kept:
        return Text("Nothing was written." if value.changes else "There is nothing to do in the state.")
    brought = f"`{import_command}` in the program's folder, then " if import_command else ""
    return Group(
        Text("The state is written; no registry was touched.", "green"),
        Paragraph(f"The state as it was: {kept}", hang=2),
        Paragraph(f"Back to it: {way_back}", hang=2),
        Paragraph(
            f"Next: {brought}docker_build.Image in place of docker.Image in the code, before this stack is run again."
        ),
        Text("Runbook: docker-build#move-an-image-to-docker-build", "dim"),
    )


def adoption_document(value: Adoption, kept: str) -> dict[str, Any]:
    """Return the same for programs."""
    images = [plain(image) for image in value.images]
    return {**head("adoption"), "stack": value.stack, "written": bool(kept), "kept": kept, "images": images}
