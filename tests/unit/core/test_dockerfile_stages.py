from __future__ import annotations

import pytest

from migrate.core.build.dockerfile import parse_dockerfile
from migrate.core.build.dockerfile_stages import BuildTarget, build_graph
from migrate.core.build.dockerfile_variables import expand
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64
from tests.unit.core.dockerfiles import graph

THREE = """ARG BASE=alpine:3.20
FROM --platform=$BUILDPLATFORM golang:1.24 AS Build
ARG TARGETARCH
RUN GOARCH=$TARGETARCH go build -o /out/app
FROM node:22 AS assets
RUN npm run build
FROM ${BASE} AS base
RUN apk add tini
FROM base
COPY --from=build /out/app /app
RUN --mount=type=bind,from=tools:1,source=/,target=/t true
COPY --from=registry.example/extra:2 /x /x
ENTRYPOINT ["/app"]
"""


def test_only_the_stages_that_the_target_needs_count() -> None:
    found = graph(THREE)
    assert [stage.title for stage in found.used] == ["build", "base", "number 3"]
    assert found.chain == {2, 3}
    assert [stage.title for stage in graph(THREE, stage="assets").used] == ["assets"]
    assert [stage.title for stage in graph(THREE, stage="1").used] == ["assets"]


def test_a_stage_has_the_platform_of_its_flag_of_the_stage_below_or_of_the_target() -> None:
    platforms = {stage.title: str(stage.platform) for stage in graph(THREE).used}
    assert platforms == {"build": "linux/amd64", "base": "linux/arm64", "number 3": "linux/arm64"}


def test_every_image_that_is_fetched_is_known_with_its_line_and_platform() -> None:
    found = [(use.image, str(use.platform), use.line, use.in_image) for use in graph(THREE).bases()]
    assert found == [
        ("golang:1.24", "linux/amd64", 2, False),
        ("alpine:3.20", "linux/arm64", 7, True),
        ("tools:1", "linux/arm64", 11, False),
        ("registry.example/extra:2", "linux/arm64", 12, False),
    ]


def test_build_arguments_win_over_defaults_in_a_base() -> None:
    uses = list(graph(THREE, arguments=(("BASE", "debian:12"),)).bases())
    assert uses[1].image == "debian:12"


def test_a_target_that_is_no_stage_is_a_fault() -> None:
    assert graph(THREE, stage="release").fault == "it has no stage release"
    assert build_graph(parse_dockerfile("ARG A\n"), BuildTarget(LINUX_ARM64, LINUX_AMD64)).fault == "it has no FROM"


def test_a_base_of_an_unknown_variable_is_undecided() -> None:
    (use,) = graph("ARG TAG\nFROM app:${TAG}\n").bases()
    assert use.undecided


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a$X", "a1"),
        ("${X}b", "1b"),
        ("${NONE:-d}", "d"),
        ("${X:-d}", "1"),
        ("${EMPTY-d}|${EMPTY:-d}", "|d"),
        ("${X:+y}${NONE:+y}", "y"),
        (r"\$X '$X'", "$X $X"),
        ('"$X"', "1"),
        ("${NONE:-${X}}", "1"),
        ("$NONE!", "!"),
    ],
)
def test_variables_are_put_in_as_buildkit_does(text: str, expected: str) -> None:
    assert expand(text, {"X": "1", "EMPTY": ""}).text == expected


def test_what_has_no_value_and_what_is_not_followed_is_told() -> None:
    assert expand("$A ${B:-x}", {}).missing == ("A",)
    assert expand("${A#x}", {"A": "xy"}).undecided == ("A",)
