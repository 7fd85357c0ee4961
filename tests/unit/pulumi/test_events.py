from __future__ import annotations

from typing import Any

from pulumi.automation import EngineEvent

from migrate.adapters.pulumi.events import EventCollector, Phase
from migrate.core.stack.preview import INDEX, SERVICE, TASK_DEFINITION, ResourceChange

_URN = "urn:pulumi:stack::project::{type}::{name}"


def _event(kind: str, body: dict[str, Any]) -> EngineEvent:
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, kind: body})


def _step(op: str, type_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"op": op, "urn": _URN.format(type=type_, name=name), "type": type_, "provider": "", **more}}


def _said(severity: str, message: str, **more: Any) -> EngineEvent:
    return _event("diagnosticEvent", {"severity": severity, "message": message, "color": "never", **more})


def test_a_step_becomes_a_change_with_its_top_level_properties() -> None:
    collector = EventCollector()
    differences = {"capacityProviderStrategies[0].weight": {"diffKind": "update"}, "triggers.x": {"diffKind": "add"}}
    collector(_event("resourcePreEvent", _step("update", SERVICE, "service", detailedDiff=differences)))
    (change,) = collector.resources
    assert (change.type, change.name, change.operation) == (SERVICE, "service", "update")
    assert change.properties == ("capacityProviderStrategies", "triggers")


def test_without_a_detailed_difference_the_named_properties_count() -> None:
    collector = EventCollector()
    collector(_event("resourcePreEvent", _step("update", INDEX, "published", diffs=["sources"])))
    assert collector.resources[0].properties == ("sources",)


def test_warnings_and_errors_are_kept_once_and_without_colour() -> None:
    collector = EventCollector()
    for event in (
        _said("warning", "<{%fg 3%}>careful<{%reset%}>\n"),
        _said("warning", "careful"),
        _said("error", "broken", prefix="<{%fg 1%}>error: <{%reset%}>"),
        _said("info", "chatter"),
        _said("info#err", "chatter"),
        _said("warning", "soon gone", ephemeral=True),
        _said("warning", "using pulumi-resource-aws from $PATH at /x", prefix="warning: "),
    ):
        collector(event)
    assert collector.diagnostics == ("careful", "error: broken")
    assert collector.errors == ("error: broken",)


def test_outputs_are_texts_or_json() -> None:
    collector = EventCollector()
    new = {"type": "pulumi:pulumi:Stack", "urn": "u", "outputs": {"arns": {"b": "2", "a": "1"}, "digest": "sha256:1"}}
    collector(_event("resOutputsEvent", _step("update", "pulumi:pulumi:Stack", "stack", new=new)))
    assert dict(collector.outputs) == {"digest": "sha256:1", "arns": '{"a": "1", "b": "2"}'}


def test_a_resource_without_a_new_state_is_gone() -> None:
    collector = EventCollector()
    old = {"type": INDEX, "urn": "u", "outputs": {}}
    collector(_event("resOutputsEvent", _step("refresh", INDEX, "index", old=old)))
    assert collector.gone == ("index",)


def test_c32_a_revision_that_a_refresh_drops_stands_in_no_way_back() -> None:
    collector = EventCollector()
    old = {"type": TASK_DEFINITION, "urn": "u", "outputs": {}}
    collector(_event("resOutputsEvent", _step("refresh", TASK_DEFINITION, "task-definition", old=old)))
    assert collector.gone == ()


def test_the_listener_hears_every_phase() -> None:
    heard: list[tuple[str, Phase]] = []

    def listen(change: ResourceChange, phase: Phase) -> None:
        heard.append((change.name, phase))

    collector = EventCollector(listen)
    collector(_event("resourcePreEvent", _step("create", INDEX, "index")))
    collector(_event("resOutputsEvent", _step("create", INDEX, "index")))
    collector(_event("resOpFailedEvent", {**_step("create", INDEX, "published"), "status": 1, "steps": 1}))
    assert heard == [("index", Phase.STARTED), ("index", Phase.DONE), ("published", Phase.FAILED)]
