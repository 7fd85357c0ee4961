"""Our reading of Dockerfiles beside BuildKit's own parser (the package ``dockerfile``), on files of any shape."""

from __future__ import annotations

import dockerfile  # type: ignore[import-not-found] # a compiled module without types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.core.dockerfile import parse_dockerfile
from migrate.core.dockerfile_stages import BuildTarget, build_graph
from migrate.core.image_names import LINUX_AMD64, LINUX_ARM64

WHOLE = """# syntax=docker/dockerfile:1
# escape=`
ARG BASE=alpine
# a comment
FROM --platform=$BUILDPLATFORM ${BASE}:3.19 AS build
RUN --mount=type=cache,target=/root/.cache --mount=type=bind,from=tools,source=/,target=/t echo a `
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


@pytest.mark.parametrize("text", ["", "# only a comment\n", "RUN <<EOF\nno end\n", "# escape=x\nFROM a\n"])
def test_what_buildkit_refuses_has_a_fault(text: str) -> None:
    assert shape(text) is None
    assert parse_dockerfile(text).fault
