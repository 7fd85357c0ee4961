from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from migrate.adapters.pulumi.stack_file import stack_file, with_configuration
from migrate.errors import NotFoundError, SettingsError

PATH = Path("Pulumi.dev.yaml")
THEIRS = """\
# the shop
encryptionsalt: v1:abc=
config:
    aws:region:   eu-west-1   # Ireland
    shop:token:
        secure: AAABAE==
    # a remark
    "shop:sizes": [ 1,  2 ]

environment:
  - shop
"""
STAGE_2 = {"migrate:stage": "2", "migrate:architecture": "ARM64", "migrate:capacity": '[{"capacityProvider": "X"}]'}


def set_in(text: str, **values: str | None) -> str:
    return with_configuration(text, {f"migrate:{name}": value for name, value in values.items()}, PATH)


def test_keys_are_put_into_the_block_and_all_else_stays_byte_for_byte() -> None:
    after = with_configuration(THEIRS, STAGE_2, PATH)
    assert yaml.safe_load(after)["config"] == yaml.safe_load(THEIRS)["config"] | STAGE_2
    assert "".join(line for line in after.splitlines(keepends=True) if "migrate:" not in line) == THEIRS


def test_what_was_set_is_replaced_and_what_is_none_goes() -> None:
    once = set_in(THEIRS, stage="1", architecture="X86_64")
    twice = set_in(once, stage="2", architecture=None)
    assert twice == set_in(THEIRS, stage="2")
    assert set_in(twice, stage=None) == THEIRS


def test_what_says_the_same_already_is_left_as_it_is_written() -> None:
    text = "config:\n  'migrate:stage': '2'  # by hand\n"
    assert set_in(text, stage="2") == text
    assert set_in(text, stage="3") == 'config:\n  migrate:stage: "3"\n'


@pytest.mark.parametrize(
    "text", ["", "encryptionsalt: v1:abc=\n", "encryptionsalt: v1:abc=", "config:\n", "# nothing\n"]
)
def test_a_file_without_configuration_gets_one(text: str) -> None:
    after = set_in(text, stage="1")
    assert yaml.safe_load(after)["config"] == {"migrate:stage": "1"}
    assert set_in(text, stage=None) == text


@pytest.mark.parametrize(
    "text",
    [
        "config: {aws:region: eu-west-1}\n",
        'config:\n  migrate:stage:\n    "1"\n',
        "config:\n  migrate:stage: >-\n    1\n",
        "config: [\n",
    ],
)
def test_what_cannot_be_changed_line_by_line_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        set_in(text, stage="2")


VALUES = st.text(st.characters(codec="ascii"), max_size=20)


@given(
    st.dictionaries(st.sampled_from(["a:b", "shop:x", "shop:y"]), st.text(max_size=20) | st.integers(), max_size=3),
    st.lists(st.tuples(st.sampled_from(["stage", "capacity"]), st.none() | VALUES), max_size=5),
)
def test_whatever_is_set_in_whatever_order_the_others_stay(
    theirs: dict[str, object], ours: list[tuple[str, str]]
) -> None:
    before = text = yaml.safe_dump({"config": theirs, "encryptionsalt": "v1"}, default_flow_style=False)
    if not theirs:
        before = text = "encryptionsalt: v1\n"
    wanted: dict[str, str | None] = {}
    for name, value in ours:
        text = set_in(text, **{name: value})
        wanted = {**wanted, f"migrate:{name}": value}
    assert (yaml.safe_load(text).get("config") or {}) == theirs | {
        name: value for name, value in wanted.items() if value is not None
    }
    assert set_in(text, stage=None, capacity=None) == before


def test_a_stacks_file_is_named_after_its_last_part_in_the_folder_that_the_project_names(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no Pulumi program"):
        stack_file(tmp_path, "dev")
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: go\n")
    assert stack_file(tmp_path, "acme/shop/dev") == tmp_path / "Pulumi.dev.yaml"
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: go\nstackConfigDir: stacks\n")
    assert stack_file(tmp_path, "dev") == tmp_path / "stacks" / "Pulumi.dev.yaml"
