from __future__ import annotations

import pytest

from migrate.core.findings import Grade
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, Platform
from tests.fakes.builds import a_builder
from tests.unit.core.dockerfiles import BOTH, REBUILD, base, judged, summary

DIGEST = f"sha256:{'d' * 64}"
PINNED = f"debian@{DIGEST}"


def test_c14_from_pins_block_the_arm64_build_with_their_lines() -> None:
    text = f"FROM --platform=linux/amd64 alpine:3.20 AS tools\nRUN true\nFROM {PINNED}\nCOPY --from=tools /x /x\n"
    text += "FROM --platform=linux/amd64 alpine:3.20\nCOPY --from=1 / /\n"
    known = [base("alpine:3.20", *BOTH), base(PINNED, LINUX_AMD64, is_index=False)]
    found = judged(text, bases=known)
    assert summary(found) == [
        ("dockerfile.base-pinned", "block", "3"),
        ("dockerfile.platform-pinned", "block", "5"),
        ("dockerfile.platform-pinned", "warn", "1"),
    ]
    pinned = next(item for item in found if item.code == "dockerfile.base-pinned")
    assert pinned.stage == 1
    assert ("file", "app/Dockerfile") in pinned.evidence
    assert ("image", PINNED) in pinned.evidence
    assert "Line 3" in pinned.text


def test_c14_a_digest_of_an_index_with_arm64_is_a_good_pin() -> None:
    assert summary(judged(f"FROM {PINNED}\n", bases=[base(PINNED, *BOTH)])) == []


def test_c14_a_pin_nobody_could_look_up_is_unknown_and_never_silently_ok() -> None:
    found = judged(f"FROM {PINNED}\n", bases=[base(PINNED, problem="no network")])
    assert summary(found) == [("dockerfile.base-unknown", "unknown", "1")]
    assert summary(judged(f"FROM {PINNED}\n")) == [("dockerfile.base-unknown", "unknown", "1")]


def test_a_base_image_without_arm64_is_a_block_where_it_is_needed_for_arm64() -> None:
    found = judged("FROM old:1\n", bases=[base("old:1", LINUX_AMD64)])
    assert summary(found) == [("dockerfile.base-without-platform", "block", "1")]
    cross = "FROM --platform=$BUILDPLATFORM old:1 AS build\nFROM scratch\nCOPY --from=build /x /x\n"
    assert summary(judged(cross, bases=[base("old:1", LINUX_AMD64)])) == []


def test_a_stage_that_nobody_needs_says_nothing() -> None:
    text = "FROM --platform=linux/amd64 old:1 AS unused\nRUN GOARCH=amd64 go build\nFROM scratch\nCOPY x /x\n"
    assert summary(judged(text)) == []


def test_the_build_platform_is_right_for_a_stage_that_builds_and_wrong_for_the_image() -> None:
    cross = "FROM --platform=$BUILDPLATFORM go:1 AS b\nARG TARGETARCH\nRUN GOARCH=$TARGETARCH go build\n"
    assert summary(judged(f"{cross}FROM scratch\nCOPY --from=b /a /a\n", bases=[base("go:1", *BOTH)])) == []
    image = judged("FROM --platform=$BUILDPLATFORM go:1\n", bases=[base("go:1", *BOTH)])
    assert summary(image) == [("dockerfile.platform-pinned", "block", "1")]
    native = a_builder(platforms=[LINUX_ARM64])
    assert summary(judged("FROM --platform=$BUILDPLATFORM go:1\n", bases=[base("go:1", *BOTH)], builder=native)) == []


def test_the_build_platform_of_a_builder_that_does_not_say_is_unknown() -> None:
    silent = a_builder(platforms=[])
    found = judged("FROM --platform=$BUILDPLATFORM go:1\n", bases=[base("go:1", *BOTH)], builder=silent)
    assert summary(found) == [("dockerfile.platform-pinned", "unknown", "1")]
    sure = judged("FROM --platform=linux/amd64 go:1\n", bases=[base("go:1", *BOTH)], builder=silent)
    assert summary(sure) == [("dockerfile.platform-pinned", "block", "1")]


def test_a_platform_pinned_to_arm64_is_wrong_only_where_amd64_is_built_too() -> None:
    text = "FROM --platform=linux/arm64 go:1\n"
    assert summary(judged(text, bases=[base("go:1", *BOTH)])) == []
    rebuilt = judged(text, bases=[base("go:1", *BOTH)], mode=REBUILD)
    assert summary(rebuilt) == [("dockerfile.platform-pinned", "block", "1")]


def test_a_stage_pinned_to_amd64_that_cross_compiles_is_fine() -> None:
    text = "FROM --platform=linux/amd64 go:1 AS b\nARG TARGETARCH\nRUN GOARCH=$TARGETARCH go build\n"
    assert summary(judged(f"{text}FROM scratch\nCOPY --from=b /a /a\n", bases=[base("go:1", *BOTH)])) == []


def test_c06_targetarch_that_is_not_declared_in_its_stage_is_told_with_its_line() -> None:
    text = "ARG TARGETARCH\nFROM scratch\nCOPY bin/${TARGETARCH}/app /app\n"
    found = judged(text)
    assert summary(found) == [("dockerfile.targetarch-undeclared", "block", "3")]
    assert "ARG TARGETARCH" in found[0].text
    run = judged("FROM a:1\nRUN echo \\\n  $TARGETARCH\n", bases=[base("a:1", *BOTH)])
    assert summary(run) == [("dockerfile.targetarch-undeclared", "warn", "3")]


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch\nARG TARGETARCH=amd64\nCOPY bin/${TARGETARCH}/app /app\n",
        "ARG TARGETARCH=amd64\nFROM scratch\nARG TARGETARCH\nCOPY bin/${TARGETARCH}/app /app\n",
        "FROM scratch\nARG TARGETARCH\nENV TARGETARCH=amd64\nCOPY bin/${TARGETARCH}/app /app\n",
    ],
)
def test_c06_targetarch_with_a_value_put_over_it_is_a_block(text: str) -> None:
    assert ("dockerfile.targetarch-pinned", "block") in {item[:2] for item in summary(judged(text))}


def test_c06_a_build_argument_pins_targetarch_too() -> None:
    text = "FROM scratch\nARG TARGETARCH\nCOPY bin/${TARGETARCH}/app /app\n"
    assert summary(judged(text)) == []
    found = judged(text, build_arguments=(("TARGETARCH", "amd64"),))
    assert summary(found) == [("dockerfile.targetarch-pinned", "block", "3")]


def test_targetarch_of_a_stage_below_or_of_the_shell_is_declared() -> None:
    below = "FROM a:1 AS base\nARG TARGETARCH\nFROM base\nRUN echo $TARGETARCH\n"
    assert summary(judged(below, bases=[base("a:1", *BOTH)])) == []
    shell = 'FROM a:1\nRUN TARGETARCH="$(dpkg --print-architecture)"; echo "$TARGETARCH"\n'
    assert summary(judged(shell, bases=[base("a:1", *BOTH)])) == []
    default = judged("FROM a:1\nRUN get ${TARGETARCH:-amd64}\n", bases=[base("a:1", *BOTH)])
    assert ("dockerfile.targetarch-undeclared", Grade.BLOCK) in {(item.code, item.grade) for item in default}


@pytest.mark.parametrize(
    ("line", "code", "grade"),
    [
        ("RUN GOOS=linux GOARCH=amd64 go build", "dockerfile.built-for-amd64", "block"),
        ("ENV GOARCH=amd64", "dockerfile.built-for-amd64", "block"),
        ("ENV GOARCH amd64", "dockerfile.built-for-amd64", "block"),
        ("RUN cargo build --target x86_64-unknown-linux-musl", "dockerfile.built-for-amd64", "block"),
        ("RUN dotnet publish -c Release -r linux-x64", "dockerfile.built-for-amd64", "block"),
        ("RUN curl -fsSLO https://e.org/tool_linux_amd64.tar.gz", "dockerfile.download-for-amd64", "warn"),
        ("RUN wget https://e.org/x86_64/tool && \\\n  chmod +x tool", "dockerfile.download-for-amd64", "warn"),
        ("ADD https://e.org/tool-linux-x64 /usr/bin/tool", "dockerfile.download-for-amd64", "warn"),
        ("RUN apt-get install -y libfoo:amd64", "dockerfile.foreign-packages", "warn"),
        ("RUN dpkg --add-architecture i386", "dockerfile.foreign-packages", "warn"),
        ("RUN make CFLAGS='-O2 -march=haswell'", None, None),
        ("RUN gcc -march=haswell a.c", "dockerfile.compiler-flags", "warn"),
        ("ENV CFLAGS='-O2 -msse4.2'", "dockerfile.compiler-flags", "warn"),
        ("RUN gcc -m64 a.c", "dockerfile.compiler-flags", "warn"),
        ("RUN ln -s /usr/lib/x86_64-linux-gnu/libj.so /j", "dockerfile.names-amd64", "warn"),
        ("ENV LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "dockerfile.names-amd64", "warn"),
        ("RUN <<EOF\nset -e\nunzip awscli-exe-linux-x86_64.zip\nEOF", "dockerfile.names-amd64", "warn"),
    ],
)
def test_a_command_that_names_amd64_is_told(line: str, code: str | None, grade: str | None) -> None:
    found = summary(judged(f"FROM a:1\n{line}\n", bases=[base("a:1", *BOTH)]))
    if code is None:
        assert [item[0] for item in found] == ["dockerfile.compiler-flags"]
    else:
        assert [item[:2] for item in found] == [(code, grade)]


@pytest.mark.parametrize(
    "line",
    [
        "RUN case $(uname -m) in x86_64) A=amd64;; aarch64) A=arm64;; esac; curl https://e.org/$A",
        "ARG TARGETARCH\nRUN curl https://e.org/tool_linux_${TARGETARCH}.tar.gz",
        "ARG TARGETARCH\nADD https://e.org/tool-${TARGETARCH} /usr/bin/tool",
        'RUN if [ "$(dpkg --print-architecture)" = amd64 ]; then curl https://e.org/amd64; fi',
        "RUN gcc -march=armv8-a a.c",
        "RUN apt-get install -y gcc g++ && \\\n  # amd64 was here\n  make",
        "COPY --chmod=644 src/ /src/",
    ],
)
def test_what_knows_arm_or_asks_for_the_machine_is_fine(line: str) -> None:
    assert summary(judged(f"FROM a:1\n{line}\n", bases=[base("a:1", *BOTH)])) == []


def test_a_tool_for_the_machine_that_builds_is_right_in_a_stage_that_runs_there() -> None:
    text = "FROM --platform=$BUILDPLATFORM n:1 AS b\nRUN curl -O https://e.org/tailwind-linux-x64\n"
    assert summary(judged(f"{text}FROM scratch\nCOPY --from=b /css /css\n", bases=[base("n:1", *BOTH)])) == []


def test_the_line_of_a_long_instruction_is_the_one_that_says_it() -> None:
    text = "FROM a:1\nRUN apt-get update && \\\n    # a note\n    curl -O https://e.org/tool-amd64 && \\\n    true\n"
    assert summary(judged(text, bases=[base("a:1", *BOTH)])) == [("dockerfile.download-for-amd64", "warn", "4")]


def test_a_file_for_another_frontend_is_unknown_and_one_that_buildkit_refuses_a_block() -> None:
    assert summary(judged("# syntax=example/other:1\nFROM --platform=linux/amd64 a\n"))[0][:2] == (
        "dockerfile.frontend",
        "unknown",
    )
    assert summary(judged("FROM a\nRUN <<EOF\nno end\n")) == [("dockerfile.refused", "block", "")]
    assert summary(judged("FROM scratch\n", target="release")) == [("dockerfile.refused", "block", "")]
    assert summary(judged("# syntax=docker/dockerfile:1.7-labs\nFROM scratch\n")) == []


def test_several_names_after_one_arg_are_all_declared() -> None:
    text = "FROM a:1\nARG TARGETOS TARGETARCH\nRUN build $TARGETOS $TARGETARCH\n"
    assert summary(judged(text, bases=[base("a:1", *BOTH)])) == []


@pytest.mark.parametrize(
    "line",
    [
        "RUN curl -H 'Authorization: Bearer s3cr3t' https://e.org/amd64",
        "RUN curl https://user:s3cr3t@e.org/tool-amd64",
        "RUN curl https://e.org/tool-amd64?token=s3cr3t",
        "RUN NPM_TOKEN=s3cr3t get tool-amd64",
        "ARG KEY\nENV URL=https://e.org/$KEY/tool-amd64",
        "ENV DB_PASSWORD=s3cr3t NAME=amd64",
    ],
)
def test_secrets_of_a_dockerfile_or_of_a_build_argument_are_not_shown(line: str) -> None:
    found = judged(f"FROM a:1\n{line}\n", bases=[base("a:1", *BOTH)], build_arguments=(("KEY", "k3y"),))
    assert found
    shown = " ".join([item.text + " ".join(value for _, value in item.evidence) for item in found])
    assert "s3cr3t" not in shown
    assert "k3y" not in shown
    if "KEY" in line:
        assert "$KEY" in dict(found[0].evidence)["instruction"]


def test_a_platform_that_hangs_on_a_variable_is_unknown() -> None:
    found = judged("ARG P\nFROM --platform=$P a:1\n", bases=[base("a:1", *BOTH)])
    assert ("dockerfile.platform-unknown", "unknown", "2") in summary(found)


def test_arm_of_32_bit_is_no_arm64() -> None:
    found = judged("FROM pi:1\n", bases=[base("pi:1", LINUX_AMD64, Platform("linux", "arm", "v7"))])
    assert summary(found) == [("dockerfile.base-without-platform", "block", "1")]
