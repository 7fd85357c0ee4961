"""Whatever an answer of AWS holds, it is read as botocore reads it."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from typing import Any

import pytest
from botocore.model import Shape
from botocore.parsers import JSONParser
from botocore.session import Session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.adapters.aws.answers import AnswerParser, AnswerParsers
from migrate.adapters.aws.timestamps import timestamp

_DEEPEST = 5
OPERATIONS = (
    ("ecs", "DescribeServices"),
    ("ecs", "DescribeTaskDefinition"),
    ("ecr", "DescribeImages"),
    ("application-autoscaling", "DescribeScheduledActions"),
    # Tagged unions, maps of lists and numbers, shapes that hold themselves, blobs.
    ("dynamodb", "GetItem"),
)


@cache
def output(service: str, operation: str) -> Shape:
    shape = Session().get_service_model(service).operation_model(operation).output_shape
    assert shape is not None
    return shape


def values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Return JSON of a shape, with members that are null, and names that the model does not know."""
    kind = shape.type_name
    if kind == "structure":
        members = {
            member.serialization.get("name", name): values(member, depth + 1)
            for name, member in (shape.members.items() if depth < _DEEPEST else ())
        }
        if shape.is_tagged_union:
            one = [st.fixed_dictionaries({name: found}) for name, found in members.items()]
            return st.one_of(*one, st.just({"OfLater": 1})) if one else st.just({"OfLater": 1})
        nullable = {name: st.none() | found for name, found in members.items()}
        return st.fixed_dictionaries({}, optional={**nullable, "ofLater": st.just({"more": [1]})})
    if kind == "list":
        return st.lists(st.none() | values(shape.member, depth + 1), max_size=2)
    if kind == "map":
        return st.dictionaries(st.text(max_size=2), values(shape.value, depth + 1), max_size=2)
    plain: dict[str, st.SearchStrategy[Any]] = {
        "timestamp": st.integers(0, 2**31) | st.just("2026-11-28T12:00:00Z"),
        "blob": st.binary(max_size=3).map(lambda found: b64encode(found).decode()),
        "boolean": st.booleans(),
        "integer": st.integers(),
    }
    return plain.get(kind, st.text(max_size=2))


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_answer_is_read_as_botocore_reads_it(service: str, operation: str, data: st.DataObject) -> None:
    shape = output(service, operation)
    body = json.dumps(data.draw(values(shape))).encode()
    answer = {"body": body, "headers": {"x-amzn-requestid": "1"}, "status_code": 200, "context": {}}
    assert AnswerParser().parse(dict(answer), shape) == JSONParser(timestamp).parse(dict(answer), shape)


def test_what_no_structure_may_hold_is_refused_as_botocore_refuses_it() -> None:
    shape = output("ecs", "DescribeServices")
    answer = {"body": b'{"__type": "x#ClusterNotFoundException", "message": "gone"}', "headers": {}, "status_code": 400}
    assert AnswerParser().parse(dict(answer), shape) == JSONParser(timestamp).parse(dict(answer), shape)


def test_what_was_worked_out_for_one_answer_serves_all() -> None:
    parsers = AnswerParsers()
    assert parsers.create_parser("json") is parsers.create_parser("json")
    assert not isinstance(parsers.create_parser("query"), AnswerParser)
