from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs
from migrate.core.settings import ImageMode, ImageSettings
from migrate.errors import SettingsError
from stacks.inputs import inputs_from_text, inputs_to_text

IMAGE = ImageStackInputs("demo/app", True, "tag1", "shelf", "sha256:1", ImageSettings("app", ImageMode.REBUILD))


@given(st.from_type(ImageStackInputs))
def test_image_inputs_come_back_as_they_were(inputs: ImageStackInputs) -> None:
    assert inputs_from_text(ImageStackInputs, inputs_to_text(inputs)) == inputs


@given(st.from_type(ServiceStackInputs))
def test_service_inputs_come_back_as_they_were(inputs: ServiceStackInputs) -> None:
    assert inputs_from_text(ServiceStackInputs, inputs_to_text(inputs)) == inputs


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"present": "yes"}, "'yes' is not of type bool"),
        ({"surprise": 1}, "surprise"),
        ({"build": []}, "is not an object"),
        ({"build": {"container": "app", "mode": "sideways"}}, "sideways"),
        ({"tag": None}, "None is not of type str"),
    ],
)
def test_inputs_of_another_shape_are_refused_with_what_is_wrong(change: dict[str, object], told: str) -> None:
    text = json.dumps({**json.loads(inputs_to_text(IMAGE)), **change})
    with pytest.raises(SettingsError) as refused:
        inputs_from_text(ImageStackInputs, text)
    assert told in refused.value.why


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(SettingsError):
        inputs_from_text(ServiceStackInputs, "{")
