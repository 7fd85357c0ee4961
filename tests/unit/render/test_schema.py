"""The documents for programs against their JSON Schema: nothing undocumented in them, nothing documented missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import migrate.render
from migrate.core.check import FailOn, Readiness, Subject, report
from migrate.core.cost.cost import TaskSize, monthly_price
from migrate.core.doctor import Diagnoses, Diagnosis, Health
from migrate.core.evidence import EventKind
from migrate.core.facts import Architecture
from migrate.core.findings import Finding, Grade
from migrate.core.fleet.plan import MemberSummary, MemberVerdict
from migrate.core.fleet.report import FleetReport
from migrate.core.fleet.run import MemberState, decide
from migrate.core.notifications import NotifiedEvent, end_of, start_of
from migrate.core.observation import Observation
from migrate.core.outcome import RunOutcome
from migrate.core.plan.binding import binding
from migrate.core.plan.detail import stage_details
from migrate.core.plan.plan import StageStatus, make_plan
from migrate.core.run.audit import ActEnd, EntryKind, audit
from migrate.core.run.report import report as run_report
from migrate.core.runbook.runbooks import Passage, Runbook, Section, Step
from migrate.core.stack.docker_state import Adoption, Fate, adoption
from migrate.core.stages import Stage
from migrate.core.status import status_of
from migrate.errors import BlockedError, ExitCode, SettingsError
from migrate.render import structured
from migrate.render.adoption import adoption_document
from migrate.render.doctor import doctor_document
from migrate.render.fleet_plan import fleet_plan_document
from migrate.render.runbook import runbook_document, runbooks_document
from migrate.render.structured import FORMAT, to_json
from tests.fakes import reported
from tests.fakes.docker_states import DIGEST, docker_provider, exported, old_image
from tests.fakes.facts import observation, repository, rollouts, settings
from tests.fakes.fleet import a_fleet_run, a_member
from tests.fakes.records import NOON, a_run, an_event
from tests.fakes.story import STORY

SCHEMA: dict[str, Any] = json.loads((Path(migrate.render.__file__).parent / "documents.schema.json").read_bytes())
SETTINGS = settings(soak=timedelta(minutes=2))
FINDING = Finding("image.wrong-binary", Grade.BLOCK, 2, "An x86 file.", "Rebuild.", "findings#image-wrong-binary")
EVIDENCE = (("container", "web"), ("file", "/app"), ("file", "/lib/x"))


PRICE = monthly_price(TaskSize(256, 512), {"FARGATE": 4}, Architecture.ARM64, "us-east-1")
SUMMARIES = (
    MemberSummary(
        "111122223333",
        "eu-west-1",
        "shop",
        "web",
        MemberVerdict.READY,
        Stage.BASELINE,
        price_now=PRICE,
        price_after=PRICE,
    ),
    MemberSummary("111122223333", "eu-west-1", "shop", "api", MemberVerdict.UNREAD, stopper="No.", code="errors#fault"),
)


def strict(schema: Any) -> Any:
    """Return the schema as it would be if no further key were allowed: what a document may not have unsaid."""
    found = deepcopy(schema)
    if isinstance(found, dict):
        if "properties" in found:
            found["additionalProperties"] = False
        return {key: strict(value) for key, value in found.items()}
    return [strict(item) for item in found] if isinstance(found, list) else found


def a_report() -> FleetReport:
    run, entries = a_fleet_run([a_member("web"), a_member("api")])
    ended = replace(entries[0], state=MemberState.ENDED, exit_code=4, started_at=NOON, finished_at=NOON)
    return FleetReport(run, (ended, entries[1]), decide(run, [ended.standing, entries[1].standing]))


def a_runbook() -> Runbook:
    section = Section("look", "Look", Passage("## Look\n"), (Step("aws ecs list-tasks --cluster $CLUSTER"),))
    return Runbook("stage-2", "Stage 2", Passage("# Stage 2\n"), (section,))


def a_plan(seen: Observation) -> str:
    plan = make_plan(seen, SETTINGS, None)
    return to_json(structured.plan_document(plan, stage_details(plan, SETTINGS), binding(plan, SETTINGS)))


def a_diff(seen: Observation) -> str:
    plan = make_plan(seen, SETTINGS, None)
    return to_json(structured.diff_document(plan, stage_details(plan, SETTINGS)))


def an_adoption() -> Adoption:
    image = old_image("registry.example.com/web:1", DIGEST, builderVersion="BuilderV1")
    return adoption(exported(docker_provider(), image), "0.0.22")


def documents() -> dict[str, str]:
    book = a_runbook()
    seen = observation(rollouts=rollouts(110, 200))
    blocked = observation(repository=replace(repository(), tag_mutability="IMMUTABLE"))
    outcome = RunOutcome("run-1", ExitCode.HELD, Stage.IMAGE, "Held.", ("because",), "Look.", "gates#image")
    checked = report(Subject.SERVICE, "arn", (FINDING, replace(FINDING, evidence=EVIDENCE)), on_spot=True)
    return {
        "plan": a_plan(seen),
        "plan that is blocked": a_plan(blocked),
        "diff": a_diff(seen),
        "check": to_json(structured.check_document(checked)),
        "check of images": to_json(structured.check_document(report(Subject.IMAGES, "app:1", (), asks_spot=False))),
        "status": to_json(structured.status_document(status_of(seen, None, SETTINGS, a_run()))),
        "status without a run": to_json(structured.status_document(status_of(seen, None, SETTINGS, None))),
        "outcome": to_json(structured.outcome_document(outcome)),
        "history": to_json(structured.history_document("web", (a_run(), replace(a_run(), finished_at=NOON)))),
        "history of nothing": to_json(structured.history_document("web", ())),
        "run": to_json(structured.audit_document(audit(a_run(), STORY))),
        "report": to_json(structured.report_document(reported.a_report())),
        "report of an older run": to_json(structured.report_document(run_report(a_run(), STORY, ()))),
        "runbooks": to_json(runbooks_document((book,))),
        "runbook": to_json(runbook_document(book, None, {"SERVICE": "web"})),
        "runbook and section": to_json(runbook_document(book, book.sections[0], {})),
        "error": to_json(structured.error_document(BlockedError("No.", why="Because.", then="Wait."))),
        "error of usage": to_json(structured.error_document(SettingsError("No.", then="Wait."))),
        "fleet_plan": to_json(fleet_plan_document(SUMMARIES)),
        "fleet": to_json(structured.fleet_document(a_report(), {"worker": "here:1"})),
        "fleet_event": structured.fleet_event_line(a_report().run, a_report().entries[0]),
        "adoption": to_json(adoption_document(an_adoption(), "kept.json")),
        "doctor": to_json(doctor_document(Diagnoses((Diagnosis("clock", Health.ILL, "Late.", "Wait.", "x#y"),)))),
        "notification": to_json(end_of(a_run(), outcome, NOON).document),
        "notification of a start": to_json(start_of(a_run(), NOON).document),
        "event": structured.event_line(an_event("said", kind=EventKind.NOTE, number=1)),
    }


DOCUMENTS = documents()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_the_schema_says_and_holds_nothing_else(name: str) -> None:
    content = json.loads(DOCUMENTS[name])
    assert (content["format"], content["document"]) == (FORMAT, name.split(maxsplit=1)[0])
    jsonschema.validate(content, SCHEMA, cls=jsonschema.Draft202012Validator)
    jsonschema.validate(content, strict(SCHEMA), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_grows_is_still_one(name: str) -> None:
    content = {**json.loads(DOCUMENTS[name]), "more": True}
    jsonschema.validate(content, SCHEMA, cls=jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, strict(SCHEMA), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_key_of_a_document_may_go_away(name: str) -> None:
    content = json.loads(DOCUMENTS[name])
    for key in content:
        less = {other: value for other, value in content.items() if other != key}
        assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(less), key


def test_the_words_of_the_schema_are_those_of_the_program() -> None:
    defs = SCHEMA["$defs"]
    assert set(defs["finding"]["properties"]["grade"]["enum"]) == set(Grade)
    assert set(defs["check"]["properties"]["arm64"]["properties"]["readiness"]["enum"]) == set(Readiness)
    assert set(defs["check"]["properties"]["subject"]["properties"]["kind"]["enum"]) == set(Subject)
    assert set(defs["plan"]["properties"]["stages"]["items"]["properties"]["status"]["enum"]) == set(StageStatus)
    assert set(defs["error"]["properties"]["exit_code"]["enum"]) == set(ExitCode)
    assert set(defs["adoption"]["properties"]["images"]["items"]["properties"]["fate"]["enum"]) == set(Fate)
    assert set(defs["doctor"]["properties"]["checks"]["items"]["properties"]["health"]["enum"]) == set(Health)
    assert set(defs["notification"]["properties"]["event"]["enum"]) == set(NotifiedEvent)
    assert set(defs["event"]["properties"]["kind"]["enum"]) == set(EventKind)
    entry = defs["run"]["properties"]["entries"]["items"]["properties"]
    assert set(entry["kind"]["enum"]) == set(EntryKind)
    assert set(entry["ended"]["enum"]) - {None} == set(ActEnd)
    assert set(defs["fleet_plan"]["properties"]["members"]["items"]["properties"]["verdict"]["enum"]) == set(
        MemberVerdict
    )
    assert set(defs["fleet_plan"]["properties"]["totals"]["properties"]) == set(MemberVerdict)
    assert set(FailOn) - {FailOn.NEVER} < set(Grade)


def test_evidence_keeps_its_order_and_names_that_stand_twice() -> None:
    content = json.loads(DOCUMENTS["check"])
    (told,) = (item for item in content["findings"] if item["evidence"])
    assert [(item["name"], item["value"]) for item in told["evidence"]] == list(EVIDENCE)
    assert told["group"] == "container web"


def required(schema: Any, path: str) -> Iterator[str]:
    """Yield the paths of all keys that a schema says are always there."""
    for name, item in schema.get("properties", {}).items():
        if name in schema["required"]:
            yield f"{path}.{name}"
        yield from required(item.get("items", item), f"{path}.{name}")


def test_no_key_that_was_ever_promised_is_given_up() -> None:
    promised = (Path(__file__).parent / "promised_keys.txt").read_text(encoding="utf-8").split()
    now = {path for name, schema in SCHEMA["$defs"].items() for path in required(schema, name)}
    assert set(promised) <= now
    assert sorted(promised) == promised


def test_every_property_says_what_it_is() -> None:
    def undescribed(schema: Any, path: str) -> list[str]:
        if isinstance(schema, list):
            return [found for item in schema for found in undescribed(item, path)]
        if not isinstance(schema, dict):
            return []
        own = [
            f"{path}.{name}"
            for name, item in schema.get("properties", {}).items()
            if "description" not in item and "$ref" not in item
        ]
        return own + [found for key, item in schema.items() for found in undescribed(item, f"{path}.{key}")]

    assert undescribed(SCHEMA, "$") == []
