from __future__ import annotations

import json

import pytest

from migrate.sandbox.aws_plugin.container_definitions import equivalent, parse, written
from migrate.sandbox.aws_plugin.values import Props

BASE: Props = {"name": "app", "image": "app:1"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            [{**BASE, "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}],
            [{**BASE, "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]}],
        ),
        (
            [{**BASE, "secrets": [{"name": "A", "valueFrom": "x"}, {"name": "B", "valueFrom": "y"}]}],
            [{**BASE, "secrets": [{"name": "B", "valueFrom": "y"}, {"name": "A", "valueFrom": "x"}]}],
        ),
        ([BASE, {"name": "side", "image": "s:1"}], [{"name": "side", "image": "s:1"}, BASE]),
        ([BASE], [{**BASE, "mountPoints": [], "volumesFrom": [], "systemControls": [], "portMappings": []}]),
        ([BASE], [{**BASE, "cpu": 0}]),
        ([BASE], [{**BASE, "essential": True}]),
        ([BASE], [{**BASE, "environment": [None, {}]}]),
        ([BASE], [{**BASE, "logConfiguration": None, "user": None}]),
        ([{**BASE, "environment": [{"name": "A"}]}], [{**BASE, "environment": [{"name": "A", "value": None}]}]),
        (
            [{**BASE, "portMappings": [{"containerPort": 80}]}],
            [{**BASE, "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]}],
        ),
        (
            [{**BASE, "healthCheck": {"command": ["CMD", "x"]}}],
            [{**BASE, "healthCheck": {"command": ["CMD", "x"], "interval": 30, "retries": 3, "timeout": 5}}],
        ),
        ([BASE], [{**BASE, "somethingNew": 1}]),
        ([{"name": "app", "Image": "app:1"}], [BASE]),
    ],
)
def test_c33_these_mean_the_same(one: list[Props], other: list[Props]) -> None:
    assert equivalent(json.dumps(one), json.dumps(other), {"networkMode": "awsvpc"})


@pytest.mark.parametrize(
    "changed",
    [
        {"image": "app:2"},
        {"user": "0"},
        {"privileged": False},
        {"essential": False},
        {"command": ["x"]},
        {"healthCheck": {"command": ["CMD"], "startPeriod": 0}},
        {"versionConsistency": "enabled"},
        {"portMappings": [{"containerPort": 80, "name": "http"}]},
        {"dockerLabels": {}},
    ],
)
def test_c33_these_do_not(changed: Props) -> None:
    assert not equivalent(json.dumps([BASE]), json.dumps([{**BASE, **changed}]), {"networkMode": "awsvpc"})


def test_c33_a_host_port_counts_outside_awsvpc() -> None:
    one = json.dumps([{**BASE, "portMappings": [{"containerPort": 80}]}])
    other = json.dumps([{**BASE, "portMappings": [{"containerPort": 80, "hostPort": 80}]}])
    assert not equivalent(one, other, {"networkMode": "bridge"})
    assert not equivalent(one, other, {})


def test_other_lists_keep_their_order() -> None:
    one, other = ({**BASE, "command": order} for order in (["a", "b"], ["b", "a"]))
    assert not equivalent(json.dumps([one]), json.dumps([other]), {})


def test_what_cannot_be_read_is_the_same_as_nothing() -> None:
    assert not equivalent("[", "[]", {})
    with pytest.raises(ValueError, match="is invalid"):
        parse('{"name": "app"}')


def test_the_states_text_is_sorted_and_compact() -> None:
    text = written(
        [{"name": "b", "image": "i"}, {"name": "a", "secrets": [{"name": "z"}, {"name": "y"}], "user": None}]
    )
    assert text == '[{"name":"a","secrets":[{"name":"y"},{"name":"z"}]},{"image":"i","name":"b"}]'
