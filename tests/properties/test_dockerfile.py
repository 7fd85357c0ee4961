"""Our reading of Dockerfiles beside BuildKit's own parser (the package ``dockerfile``), on files of any shape."""

from __future__ import annotations

import tracemalloc

import dockerfile  # type: ignore[import-not-found] # a compiled module without types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.core.build.dockerfile import parse_dockerfile
from migrate.core.build.dockerfile_stages import BuildTarget, build_graph
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64
from migrate.core.settings import ImageMode
from tests.fakes.builds import PROGRAMS
from tests.unit.core.dockerfiles import judged

WHOLE = """# syntax=docker/dockerfile:1
# escape=`
ARG BASE=alpine
# a comment
FROM --platform=$BUILDPLATFORM ${BASE}:3.19 AS build
RUN --mount=type=cache,target=/var/cache --mount=type=bind,from=tools,source=/,target=/t echo a `
  # within

  && echo b
RUN <<EOT bash
set -e
FROM x
EOT
COPY <<-"EOT" /app/x.sh
	#!/bin/sh
	echo $HOME
	EOT
COPY <<one <<two /dest/
1
one
2
two
RUN cat<<EOF
FROM scratch
COPY --from=build --chmod=755 ["a b", "/x"]
CMD [ "not json" ]
CMD ["sh", "-c", "echo"]
ENV A=1 B="two words"
"""

FRAGMENTS = st.sampled_from(
    [
        *("FROM a AS b", "from c", "RUN echo x", "RUN echo x \\", "  && y", "# comment", "", "   ", "\tRUN tab"),
        *(
            "COPY --from=b /a /b",
            'COPY ["a", "b"]',
            "COPY <<EOF /x",
            "EOF",
            "RUN <<-E",
            "\tE",
            "E",
            "ARG A=1 B",
            "ENV a b",
        ),
        *(
            "# escape=`",
            "# escape=\\",
            "# syntax=docker/dockerfile:1",
            "RUN a `",
            "RUN a \\\\",
            'RUN "<<EOF"',
            "\\",
            "`",
        ),
        *("ONBUILD RUN x", "RUN --mount=type=bind,from=b x", "CMD [1]", "RUN a \\  ", "#!/bin/sh", "LABEL a=b c='d e'"),
    ]
)


def shape(text: str) -> list[tuple[str, int, int, tuple[str, ...], tuple[str, ...]]] | None:
    """Return what BuildKit's parser sees: keyword, lines, flags and heredocs; None where it refuses."""
    try:
        commands = dockerfile.parse_string(text)
    except dockerfile.GoParseError:
        return None
    return [
        (
            item.cmd.upper(),
            item.start_line,
            item.end_line,
            item.flags,
            tuple(heredoc.content for heredoc in item.heredocs),
        )
        for item in commands
        if item.cmd
    ]


def ours(text: str) -> list[tuple[str, int, int, tuple[str, ...], tuple[str, ...]]] | None:
    found = parse_dockerfile(text)
    if found.fault:
        return None
    return [
        (
            item.keyword,
            item.line,
            item.last_line,
            tuple(f"--{name}={value}" for name, value in item.flags),
            tuple(heredoc.content for heredoc in item.heredocs),
        )
        for item in found.instructions
    ]


def test_a_file_with_everything_in_it_is_read_as_buildkit_reads_it() -> None:
    assert ours(WHOLE) == shape(WHOLE)


@given(st.lists(FRAGMENTS, max_size=12).map("\n".join))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_any_mixture_of_lines_is_read_as_buildkit_reads_it(text: str) -> None:
    theirs = shape(text)
    if not theirs:
        # BuildKit's parser also checks what an instruction may hold, which is the build's business.
        return
    assert ours(text) == theirs


@given(st.text(alphabet="FROMRUNCPYADas<>-=\\`'\"$#{}:/ \t\n[],EOF", max_size=200))
@settings(max_examples=200)
def test_no_text_makes_the_reader_fail(text: str) -> None:
    found = parse_dockerfile(text)
    build_graph(found, BuildTarget(LINUX_ARM64, LINUX_AMD64))


TELLING = st.sampled_from(
    [
        *(
            "FROM --platform=linux/amd64 a AS x",
            "FROM --platform=$BUILDPLATFORM a",
            "FROM x",
            "FROM a@sha256:${D}",
            "ARG D",
        ),
        *(
            "FROM scratch AS b",
            "ARG TARGETARCH=amd64",
            "ARG TARGETARCH",
            "ENV TARGETARCH=x",
            "COPY $TARGETARCH/app /app",
        ),
        *("RUN GOARCH=amd64 go build", "ADD https://e.org/amd64 /x", "RUN apt-get install x:amd64", "RUN gcc -m64 a.c"),
        *(
            "COPY . .",
            "COPY --from=x /a /b",
            "COPY --from=9 /a /b",
            "COPY --from=b . .",
            'ENTRYPOINT ["/app"]',
            "CMD app",
        ),
        *(
            "WORKDIR ${W:-/w}",
            "RUN <<E",
            "E",
            "COPY",
            "ADD",
            "FROM",
            "ENV",
            "ARG",
            "RUN",
            "COPY []",
            'COPY ["a"]',
            "WORKDIR",
        ),
        *(
            "FROM --platform= a",
            "FROM --platform=x/y/z/w a",
            "FROM --platform=linux a",
            "FROM ${",
            "COPY [ /x",
            "COPY a[ /x",
        ),
    ]
)


@given(st.lists(TELLING, max_size=10).map("\n".join), st.booleans())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_dockerfile_says_every_finding_has_place_grade_and_advice(text: str, both: bool) -> None:
    mode = ImageMode.REBUILD if both else ImageMode.EXTEND
    for found in judged(text, programs=PROGRAMS, mode=mode):
        assert found.advice
        assert found.stage == 1
        assert found.runbook == f"findings#{found.code.replace('.', '-')}"
        lines = [int(value) for name, value in found.evidence if name == "line"]
        assert all(1 <= line <= text.count("\n") + 1 for line in lines)


@pytest.mark.parametrize(
    "line",
    [
        "RUN " + "a" * 300_000,
        "RUN " + "http://" * 100_000,
        "RUN " + "TOKEN" * 100_000 + " amd64",
        "ENV A=" + "${a:-" * 20_000,
        "RUN " + "--eval " * 100_000,
        "RUN " + "<<" * 50_000,
        "RUN " + "'" * 200_001,
    ],
    ids=["word", "urls", "secrets", "variables", "questions", "heredocs", "quotes"],
)
@pytest.mark.timeout(20)
def test_long_lines_take_no_long_time(line: str) -> None:
    judged(f"FROM a\n{line}\n")


@pytest.mark.parametrize(
    "lines",
    [
        ["ENV A=xxxxxxxx", *["ENV A=$A$A$A$A$A$A$A$A"] * 40, "COPY $A /x", "COPY " + "$A" * 50_000 + " /x"],
        [f"ENV V{number}=x" for number in range(4000)],
        ["FROM a AS s"] * 4000,
        ["ENV A=1"] * 100_000,
    ],
    ids=["growing", "variables", "stages", "instructions"],
)
@pytest.mark.timeout(30)
def test_what_could_grow_without_end_does_not(lines: list[str]) -> None:
    tracemalloc.start()
    judged("\n".join(["FROM a", *lines]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 256 << 20


@pytest.mark.parametrize("text", ["", "# only a comment\n", "RUN <<EOF\nno end\n", "# escape=x\nFROM a\n"])
def test_what_buildkit_refuses_has_a_fault(text: str) -> None:
    assert shape(text) is None
    assert parse_dockerfile(text).fault
