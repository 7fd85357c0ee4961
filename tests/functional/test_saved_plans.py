"""A plan holds for the world that it was made on: what is no longer so stops the stage, and is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from migrate.core.documents import document, fields
from migrate.core.plan.binding import binding
from migrate.core.plan.detail import stage_details
from migrate.core.plan.plan import MigrationPlan
from migrate.errors import ExitCode, SettingsError, WorldChangedError
from migrate.render.structured import plan_document, to_json
from migrate.workflows.plan import hold_to, look, plan_migration, refuse_a_stale_plan
from tests.fakes.migration import Operator


def in_a_file(operator: Operator, plan: MigrationPlan) -> str:
    settings = operator.settings
    return to_json(plan_document(plan, stage_details(plan, settings), binding(plan, settings)))


def with_grace_period(operator: Operator, seconds: int) -> None:
    """Let somebody change a setting of the service that no stage is about, without a deployment."""
    operator.world.settings[operator.service.arn]["healthCheckGracePeriodSeconds"] = seconds


def test_a_setting_that_changed_since_the_plan_is_refused_and_shown() -> None:
    operator = Operator.of()
    operator.plan()
    with_grace_period(operator, 300)
    with pytest.raises(WorldChangedError) as refused:
        operator.apply(0)
    assert "healthCheckGracePeriodSeconds was" in refused.value.why
    assert "and is 300" in refused.value.why
    assert refused.value.exit_code is ExitCode.WORLD_CHANGED
    operator.plan()
    assert operator.apply(0).exit_code is ExitCode.DONE


def test_a_plan_made_in_the_middle_of_a_migration_binds_as_well() -> None:
    operator = Operator.of()
    assert operator.apply(0).exit_code is ExitCode.DONE
    operator.plan()
    with_grace_period(operator, 300)
    with pytest.raises(WorldChangedError) as refused:
        operator.apply(1)
    assert "and is 300" in refused.value.why
    assert "--rebaseline" not in refused.value.then


def test_a_plan_is_history_once_a_stage_of_ours_has_changed_what_it_saw() -> None:
    operator = Operator.of()
    operator.plan()
    assert operator.apply(0).exit_code is ExitCode.DONE
    assert operator.apply(1).exit_code is ExitCode.DONE


def test_a_stale_plan_is_told_before_anybody_is_asked() -> None:
    operator = Operator.of()
    operator.plan()
    refuse_a_stale_plan(operator.store, look(operator.runtime))
    with_grace_period(operator, 300)
    with pytest.raises(WorldChangedError, match="no longer what was planned"):
        refuse_a_stale_plan(operator.store, look(operator.runtime))


def test_a_plan_from_a_file_holds_the_run_to_what_was_signed() -> None:
    operator = Operator.of()
    signed = in_a_file(operator, look(operator.runtime))
    with_grace_period(operator, 300)
    # Somebody planned again meanwhile; it is the signed plan that counts.
    plan_migration(operator.runtime)
    hold_to(operator.runtime, signed, operator.service.arn)
    with pytest.raises(WorldChangedError, match="no longer what this migration knows"):
        operator.apply(0)


def test_one_signed_plan_is_good_for_every_stage() -> None:
    operator = Operator.of()
    signed = in_a_file(operator, look(operator.runtime))
    for stage in range(3):
        hold_to(operator.runtime, signed, operator.service.arn)
        assert operator.apply(stage).exit_code is ExitCode.DONE


def test_a_signed_plan_is_not_good_for_other_settings() -> None:
    operator = Operator.of()
    signed = in_a_file(operator, look(operator.runtime))
    hasty = replace(operator.settings, gate=replace(operator.settings.gate, soak=timedelta(0)))
    with pytest.raises(WorldChangedError, match="not what was signed") as refused:
        hold_to(replace(operator.runtime, settings=hasty), signed, operator.service.arn)
    assert refused.value.why == "gate in the settings is not what it was."
    elsewhere = replace(operator.settings, image=replace(operator.settings.image, context="elsewhere"))
    hold_to(replace(operator.runtime, settings=elsewhere), signed, operator.service.arn)


def test_a_signed_plan_is_not_good_for_another_baseline() -> None:
    operator = Operator.of()
    signed = json.loads(in_a_file(operator, look(operator.runtime)))
    signed["binding"]["baseline"]["image"] = "sha256:of-another-day"
    assert operator.apply(0).exit_code is ExitCode.DONE
    with pytest.raises(WorldChangedError) as refused:
        hold_to(operator.runtime, json.dumps(signed), operator.service.arn)
    assert "another baseline" in refused.value.why


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"binding": 1}', '{"binding": {"made_at": "now"}}'])
def test_a_file_that_is_no_plan_is_told_so(text: str) -> None:
    operator = Operator.of()
    with pytest.raises(SettingsError, match="holds no plan"):
        hold_to(operator.runtime, text, operator.service.arn)


def test_a_plan_of_another_service_is_told_so() -> None:
    operator = Operator.of()
    signed = in_a_file(operator, look(operator.runtime))
    with pytest.raises(SettingsError, match="another service"):
        hold_to(operator.runtime, signed, f"{operator.service.arn}-2")


def test_a_plan_that_an_older_version_saved_still_binds() -> None:
    operator = Operator.of()
    operator.plan()
    arn = operator.service.arn
    saved = fields(document(json.loads(operator.store.plan(arn) or "")))
    older = {"made_at": saved["made_at"], "fingerprint": saved["fingerprint"], "seen": {"revision": "web:1"}}
    operator.store.save_plans({arn: document(older)})
    assert operator.apply(0).exit_code is ExitCode.DONE
    another = Operator.of()
    another.store.save_plans({another.service.arn: document({**older, "fingerprint": "0" * 64})})
    with pytest.raises(WorldChangedError, match="in a part that is not shown"):
        another.apply(0)
