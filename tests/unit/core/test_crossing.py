from __future__ import annotations

from collections.abc import Mapping

import pytest

from migrate.core.image.crossing import X86_ONLY, Crossing, crossing
from migrate.core.image.executables import AARCH64_MACHINE, PLAIN, X86_64_MACHINE, Archive, ElfHeader, Executable
from migrate.core.image.filesystem import FileTree
from migrate.core.preflight.build import crossing_findings

X86 = ElfHeader(X86_64_MACHINE)
ARM = ElfHeader(AARCH64_MACHINE)
DIGEST = f"sha256:{'a' * 64}"


def tree(files: Mapping[str, Executable | bytes], links: Mapping[str, str] | None = None) -> FileTree:
    made = FileTree()
    made.begin_layer()
    for path, target in (links or {}).items():
        made.add_link(path, target)
    for path, content in files.items():
        if isinstance(content, bytes):
            made.add_file(path, PLAIN, is_executable=False, kept=content)
        else:
            made.add_file(path, content, is_executable=True)
    return made


def judged(files: Mapping[str, Executable | bytes], links: Mapping[str, str] | None = None) -> Crossing:
    return crossing(DIGEST, tree(files, links))


def codes(found: Crossing, known: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    return [(item.code, item.grade.value) for item in crossing_findings(found, known or {})]


def test_what_dpkg_installed_comes_again_and_what_was_copied_in_does_not() -> None:
    found = judged(
        {
            "usr/bin/curl": X86,
            "usr/bin/ls": X86,
            "opt/agent/agent": X86,
            "usr/bin/tool": X86,
            "srv/arm": ARM,
            "var/lib/dpkg/status": b"Package: curl\n",
            "var/lib/dpkg/info/curl.list": b"/.\n/usr/bin/curl\n",
            "var/lib/dpkg/info/coreutils.list": b"/bin/ls\n",
        },
        {"bin": "usr/bin"},
    )
    assert found.own == ("/opt/agent/agent", "/usr/bin/tool")
    assert found.owners_known
    assert codes(found) == [("crossing.own-binaries", "warn")]


def test_apk_and_distroless_databases_are_read() -> None:
    apk = judged({"lib/apk/db/installed": b"P:tini\nF:sbin\nR:tini\n\nF:usr/bin\nR:x\n", "sbin/tini": X86, "app": X86})
    assert apk.own == ("/app",)
    distroless = judged(
        {"var/lib/dpkg/status.d/libc6.md5sums": b"0a  lib/libc.so.6\n", "lib/libc.so.6": X86, "app": X86}
    )
    assert distroless.own == ("/app",)


def test_without_a_database_that_can_be_read_the_place_of_a_file_speaks() -> None:
    found = judged({"var/lib/rpm/rpmdb.sqlite": PLAIN, "usr/bin/bash": X86, "usr/local/bin/x": X86, "app/y": X86})
    assert found.own == ("/app/y", "/usr/local/bin/x")
    assert not found.owners_known


def test_an_image_without_any_package_holds_only_what_was_put_there() -> None:
    assert judged({"usr/bin/app": X86}).own == ("/usr/bin/app",)


def test_what_package_managers_install_anew_is_told_as_such() -> None:
    found = judged(
        {
            "app/venv/lib/python3.12/site-packages/numpy/core/x.so": X86,
            "app/venv/lib/python3.12/site-packages/numpy-2.1.dist-info/WHEEL": (
                b"Wheel-Version: 1.0\nTag: cp312-cp312-manylinux_2_17_x86_64\nTag: cp312-cp312-manylinux2014_x86_64\n"
            ),
            "app/venv/lib/python3.12/site-packages/six-1.dist-info/WHEEL": b"Tag: py3-none-any\n",
            "app/node_modules/sharp/build/sharp.node": X86,
            "usr/local/bin/python3.12": X86,
            "usr/local/lib/python3.12/lib-dynload/_ssl.cpython-312-x86_64-linux-gnu.so": X86,
        }
    )
    assert found.wheels == (("numpy-2.1", "cp312-cp312-manylinux_2_17_x86_64"),)
    assert found.node_modules == ("/app/node_modules/sharp/build/sharp.node",)
    assert found.runtimes == ("Python",)
    assert codes(found) == [("crossing.installed-anew", "info")]


def test_a_jar_with_native_code_for_both_is_fine_and_for_x86_alone_is_not() -> None:
    both = Archive((("linux-x86-64/libjni.so", X86), ("linux-aarch64/libjni.so", ARM)))
    alone = Archive((("native/libjni.so", X86),))
    found = judged({"app/both.jar": both, "app/alone.jar": alone, "app/pure.jar": Archive(())})
    assert found.jars == ("/app/alone.jar",)
    assert codes(found) == [("crossing.jars", "warn")]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("opt/intel/mkl/lib/intel64/libmkl_rt.so.2", "Intel oneMKL"),
        ("usr/lib/libiomp5.so", "Intel compiler run-time"),
        ("opt/ipp/libippcore.so", "Intel IPP"),
        ("usr/local/cuda-12.4/targets/x86_64-linux/lib/libcudart.so.12", "CUDA for x86_64"),
        ("opt/oracle/instantclient_12_2/libclntsh.so.12.1", "Oracle Instant Client before 19"),
        ("opt/google/chrome/chrome", "Google Chrome"),
        ("root/.cache/puppeteer/chrome/linux-131/chrome-linux64/chrome", "Chrome for Testing"),
        ("usr/local/lib/python3.12/site-packages/clidriver/lib/libdb2.so.1", "IBM Db2 CLI driver"),
        ("usr/local/bin/phantomjs", "PhantomJS"),
        ("usr/local/bin/wkhtmltopdf", "wkhtmltopdf (own build)"),
        ("usr/lib/x86_64-linux-gnu/libssl.so.1.0.2", "OpenSSL 1.0"),
    ],
)
def test_what_is_made_for_x86_alone_is_named_by_its_file(path: str, name: str) -> None:
    found = judged({path: X86})
    assert [(item[0], item[1]) for item in found.x86_only] == [(name, f"/{path}")]
    assert codes(found) == [("crossing.x86-only", "warn")]
    assert judged({path: ARM}).x86_only == ()


@pytest.mark.parametrize("path", ["opt/oracle/instantclient_23/libclntsh.so.23.1", "usr/lib/libssl.so.3"])
def test_newer_versions_that_cross_are_not_named(path: str) -> None:
    assert judged({path: X86}).x86_only == ()


def test_every_known_package_has_advice_and_is_told_once() -> None:
    assert all(item.advice and item.name for item in X86_ONLY)
    assert len(judged({"opt/a/libmkl_rt.so": X86, "opt/a/libmkl_core.so": X86}).x86_only) == 1


def test_what_the_dockerfile_brings_for_arm64_needs_no_look() -> None:
    found = judged({"app": X86, "srv/bin/x": X86, "opt/y": X86})
    assert codes(found, {"/app": "line 3", "/srv": "line 4"}) == [
        ("crossing.own-binaries", "warn"),
        ("crossing.brought", "info"),
    ]
    (own, brought) = crossing_findings(found, {"/app": "line 3", "/srv": "line 4"})
    assert ("file", "/opt/y") in own.evidence
    assert ("file", "/srv/bin/x: line 4") in brought.evidence


def test_many_files_are_counted_and_a_few_named() -> None:
    (own,) = crossing_findings(judged({f"opt/f{number:02}": X86 for number in range(40)}), {})
    assert "40 x86 programs or libraries of no installed package" in own.text
    assert ("file", "and 28 more") in own.evidence


def test_layers_that_cannot_be_read_are_unknown() -> None:
    broken = tree({})
    broken.add_hard_link("a", "b")
    assert codes(crossing(DIGEST, broken)) == [("crossing.unread", "unknown")]
    assert codes(Crossing(DIGEST, problem="no network")) == [("crossing.unread", "unknown")]
