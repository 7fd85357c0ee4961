from __future__ import annotations

import pytest

from migrate.core.build.dockerfile_context import context_sources, copied, origins, started_program
from migrate.core.build.dockerfile_stages import BuildTarget
from migrate.core.build.dockerignore import IgnoredPaths
from migrate.core.build.facts import BuildSource, ContextProgram
from migrate.core.image.executables import AARCH64_MACHINE, X86_64_MACHINE
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64
from tests.fakes.builds import DOCKERFILE, PROGRAMS
from tests.unit.core.dockerfiles import BOTH, base, graph, judged, summary

ARM64 = BuildTarget(LINUX_ARM64, LINUX_AMD64)
X86 = ContextProgram("dist/app", X86_64_MACHINE)


def test_a_program_for_each_platform_chosen_by_targetarch_is_right() -> None:
    assert summary(judged(DOCKERFILE, programs=PROGRAMS)) == []


def test_c06_a_prebuilt_x86_program_that_the_image_starts_blocks_with_file_and_line() -> None:
    text = 'FROM scratch\nWORKDIR /srv\nCOPY dist/app ./\nENTRYPOINT ["/srv/app"]\n'
    (found,) = judged(text, programs=[X86])
    assert (found.code, found.grade.value, dict(found.evidence)["line"]) == ("dockerfile.copied-binary", "block", "3")
    assert ("context file", "dist/app (x86_64)") in found.evidence


def test_an_x86_program_beside_the_started_one_is_a_warning() -> None:
    text = 'FROM a:1\nCOPY dist/ /opt/\nCMD ["/opt/run.sh"]\n'
    assert summary(judged(text, programs=[X86], bases=[base("a:1", *BOTH)])) == [
        ("dockerfile.copied-binary", "warn", "2")
    ]


def test_the_wrong_one_of_two_platforms_is_told_as_the_defect_of_case_c06() -> None:
    swapped = (ContextProgram("bin/linux/arm64/app", X86_64_MACHINE),)
    assert summary(judged(DOCKERFILE, programs=swapped)) == [("dockerfile.copied-binary", "block", "3")]


def test_what_a_building_stage_copies_as_a_whole_is_its_own_business() -> None:
    text = "FROM go:1 AS b\nCOPY . .\nRUN make\nFROM scratch\nCOPY --from=b /app /app\n"
    assert summary(judged(text, programs=[X86], bases=[base("go:1", *BOTH)])) == []


@pytest.mark.parametrize(
    ("lines", "program"),
    [
        ('ENTRYPOINT ["/app", "-v"]', "/app"),
        ("ENTRYPOINT exec /app -v", "/app"),
        ('CMD ["sh", "-c", "exec /app"]', "/app"),
        ('ENTRYPOINT ["/one"]\nENTRYPOINT ["/two"]\nCMD ["/three"]', "/two"),
        ("RUN true", ""),
    ],
)
def test_the_started_program_is_read_from_entrypoint_and_command(lines: str, program: str) -> None:
    found = started_program(graph(f"FROM scratch AS base\nFROM base\n{lines}\n"))
    assert (found.name if found else "") == program


@pytest.mark.parametrize(
    ("lines", "path", "started"),
    [
        ('WORKDIR /srv\nCMD ["./app"]', "/srv/app", True),
        ('WORKDIR /srv\nWORKDIR web\nCMD ["bin/app"]', "/srv/web/bin/app", True),
        ('CMD ["app"]', "/usr/local/bin/app", True),
        ('CMD ["app"]', "/opt/vendor/app", False),
        ('ENV PATH=/opt/vendor:$PATH\nCMD ["app"]', "/opt/vendor/app", True),
        ('ENV PATH="/opt/vendor:${PATH}"\nCMD app --now', "/usr/bin/app", True),
        ('CMD ["/app"]', "/other/app", False),
    ],
)
def test_the_started_program_is_found_as_the_kernel_and_path_find_it(lines: str, path: str, *, started: bool) -> None:
    found = started_program(graph(f"FROM scratch\n{lines}\n"))
    assert found is not None
    assert found.is_at(path) is started


def test_destinations_are_those_of_copy() -> None:
    text = "FROM scratch\nWORKDIR /w\nCOPY a b\nCOPY a b/\nCOPY a c d/\nCOPY tree /t\nCOPY . /all\nCOPY ./x/../y /y\n"
    one, two, three, four, five, six = copied(graph(text))
    assert (one.target("a"), two.target("a"), three.target("c")) == ("/w/b", "/w/b/a", "/w/d/c")
    assert (four.target("tree/x/y"), five.target("q/r")) == ("/t/x/y", "/all/q/r")
    assert six.sources == ("y",)


def test_sources_hold_what_any_platform_copies_without_urls_heredocs_and_other_stages() -> None:
    text = "FROM scratch AS a\nARG TARGETARCH\nCOPY bin/$TARGETARCH/* /\nADD https://e.org/x /x\nCOPY <<E /e\nE\n"
    text += "FROM a\nCOPY --from=a /z /z\n"
    both = (ARM64, BuildTarget(LINUX_AMD64, LINUX_AMD64))
    assert context_sources(text, both) == ("bin/arm64/*", "bin/amd64/*")


def test_what_the_dockerfile_brings_for_arm64_is_known_by_its_place() -> None:
    text = "FROM go AS b\nFROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH/tool /bin/tool\nCOPY --from=b /out /srv/\n"
    source = BuildSource("app", "app/Dockerfile", text, programs=(ContextProgram("arm64/tool", AARCH64_MACHINE),))
    assert dict(origins(graph(text), ARM64, source)) == {"/bin/tool": "line 4, arm64/tool", "/srv": "line 5, from b"}


@pytest.mark.parametrize(
    ("patterns", "kept_out", "stays"),
    [
        ("node_modules", ["node_modules", "node_modules/a/b.node"], ["src/node_modules/a", "node_module"]),
        ("**/node_modules", ["node_modules/x", "a/b/node_modules/x"], ["a/node_modules2"]),
        ("*/temp*", ["a/temporary.txt", "a/temp/x"], ["temp", "a/b/temp"]),
        ("temp?", ["tempa"], ["temp", "tempab"]),
        ("*.md\n!README.md", ["x.md"], ["README.md", "docs/x.md"]),
        ("!README.md\n*.md", ["README.md"], []),
        ("*\n!src/**", ["x", "lib/y"], ["src/a/b"]),
        ("/dist/", ["dist/a"], ["a/dist/b"]),
        ("# comment\n\n  bin  ", ["bin/x"], ["# comment"]),
        ("a[0-9]", ["a1"], ["ab"]),
        ("a[", ["a["], ["a"]),
        (".", [], ["a"]),
    ],
)
def test_dockerignore_keeps_out_what_docker_would(patterns: str, kept_out: list[str], stays: list[str]) -> None:
    ignored = IgnoredPaths(patterns)
    assert [path for path in kept_out if path not in ignored] == []
    assert [path for path in stays if path in ignored] == []
