"""What an owner reads: each stage as a piece of his code, and the way back from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from migrate.core.first_record import first_record
from migrate.core.settings import ImageMode, OwnerLanguage, ServiceOwner
from migrate.render.owner import owner_plan
from migrate.render.text import shown
from tests.fakes.facts import observation, settings


@pytest.mark.parametrize("language", OwnerLanguage)
def test_a_plan_for_an_owner(language: OwnerLanguage, snapshot: SnapshotAssertion) -> None:
    ours = settings()
    service = replace(ours.service, owner=ServiceOwner.EXTERNAL, owner_tool=language)
    theirs = replace(ours, service=service, image=replace(ours.image, mode=ImageMode.EXTERNAL))
    assert shown(owner_plan(first_record(observation(), theirs), theirs), width=100, colour=False) == snapshot
