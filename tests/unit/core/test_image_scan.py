from __future__ import annotations

import pytest

from migrate.core.image.binaries import BinaryVerdict
from migrate.core.image.documents import ImageConfig
from migrate.core.image.executables import ElfHeader, Opaque
from migrate.core.image.filesystem import FileTree
from migrate.core.image.scan import ForeignFiles, ImageScan, Place, scan_image
from migrate.core.image.scan_modules import foreign_wheel, native_module, platform_key
from migrate.core.image.scan_runtimes import Runtime
from tests.fakes.image_trees import ARM64, I386_MACHINE, X86, Content, Files, jar, scanned, tree_of

SITE = "/usr/local/lib/python3.11/site-packages"
PYTHON: dict[str, Content] = {"/app": "#!/usr/bin/python3\n", "/usr/bin/python3": ARM64}
NODE: dict[str, Content] = {"/app": "#!/usr/bin/node\n", "/usr/bin/node": ARM64}
RUBY: dict[str, Content] = {"/app": "#!/usr/bin/ruby\n", "/usr/bin/ruby": ARM64}
JAVA: dict[str, Content] = {"/app": "#!/bin/sh\nexec java -jar /a.jar\n", "/bin/sh": ARM64, "/usr/bin/java": ARM64}
GO: dict[str, Content] = {"/app": ARM64}


def group(scan: ImageScan, place: Place) -> ForeignFiles:
    return next(item for item in scan.foreign if item.place is place)


def places(scan: ImageScan) -> list[tuple[Place, Runtime | None, int]]:
    return [(item.place, item.runtime, item.count) for item in scan.foreign]


def test_c06_an_image_for_arm64_alone_has_nothing_foreign() -> None:
    files = {**PYTHON, f"{SITE}/numpy/core/_m.cpython-311-aarch64-linux-gnu.so": ARM64}
    assert places(scanned(files)) == []


@pytest.mark.parametrize(
    ("base", "runtime", "path", "package"),
    [
        (PYTHON, Runtime.PYTHON, f"{SITE}/numpy/core/_m.cpython-311-x86_64-linux-gnu.so", "numpy"),
        (PYTHON, Runtime.PYTHON, f"{SITE}/_cffi_backend.cpython-311-x86_64-linux-gnu.so", "_cffi_backend"),
        (PYTHON, Runtime.PYTHON, "/usr/lib/python3/dist-packages/cryptography/_rust.abi3.so", "cryptography"),
        (
            PYTHON,
            Runtime.PYTHON,
            "/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so",
            "standard library",
        ),
        (PYTHON, Runtime.PYTHON, "/app.d/vendor/fast.cpython-311-x86_64-linux-gnu.so", "vendor"),
        (NODE, Runtime.NODE, "/srv/node_modules/bcrypt/lib/binding/napi-v3/bcrypt_lib.node", "bcrypt"),
        (NODE, Runtime.NODE, "/srv/node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node", "@img/sharp-linux-x64"),
        (NODE, Runtime.NODE, "/srv/node_modules/leveldown/prebuilds/linux-x64/node.napi.node", "leveldown"),
        (NODE, Runtime.NODE, "/srv/dist/addon.node", "dist"),
        (
            RUBY,
            Runtime.RUBY,
            "/usr/local/bundle/gems/nokogiri-1.15.0-x86_64-linux/lib/nokogiri/3.2/nokogiri.so",
            "nokogiri-1.15.0-x86_64-linux",
        ),
        (
            RUBY,
            Runtime.RUBY,
            "/usr/local/bundle/extensions/x86_64-linux/3.2.0/bcrypt-3.1.18/bcrypt_ext.so",
            "bcrypt-3.1.18",
        ),
        (RUBY, Runtime.RUBY, "/usr/local/lib/ruby/3.2.0/x86_64-linux/socket.so", "standard library"),
        (JAVA, Runtime.JVM, "/usr/lib/jvm/java-17/lib/server/libjvm.so", "JVM"),
    ],
)
def test_c06_native_modules_of_the_interpreter_that_runs_are_told_with_their_package(
    base: Files, runtime: Runtime, path: str, package: str
) -> None:
    found = scanned({**base, path: X86})
    assert places(found) == [(Place.MODULE, runtime, 1)]
    assert (found.foreign[0].packages, found.foreign[0].paths, found.foreign[0].layers) == ((package,), (path,), (1,))
    # To a program that runs no such interpreter they are files like others.
    assert places(scanned({**GO, path: X86})) == [(Place.ELSEWHERE, None, 1)]


@pytest.mark.parametrize(
    ("base", "path"),
    [
        (PYTHON, f"{SITE}/debugpy/_vendored/attach_linux_amd64.so"),
        (PYTHON, f"{SITE}/selenium/webdriver/common/linux/selenium-manager"),
        (PYTHON, f"{SITE}/numpy.libs/libopenblas-r0.3.21.so"),
        (PYTHON, f"{SITE}/markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so"),
        (PYTHON, f"{SITE}/81d243__mypyc.cpython-311-x86_64-linux-gnu.so"),
        (NODE, "/srv/node_modules/@swc/core-linux-x64-gnu/swc.linux-x64-gnu.node"),
        (NODE, "/srv/node_modules/@rollup/rollup-linux-x64-gnu/rollup.node"),
        (RUBY, "/usr/local/bundle/gems/byebug-11.1.3/lib/byebug/byebug.so"),
        (NODE, "/srv/node_modules/bufferutil/build/Release/bufferutil.node"),
        (NODE, "/srv/node_modules/esbuild/bin/esbuild"),
    ],
)
def test_what_an_interpreter_can_do_without_is_told_apart(base: Files, path: str) -> None:
    assert [item[0] for item in places(scanned({**base, path: X86}))] == [Place.OPTIONAL_MODULE]


def test_a_compiled_module_beside_its_source_is_not_missed() -> None:
    path = f"{SITE}/own/fast.cpython-311-x86_64-linux-gnu.so"
    assert places(scanned({**PYTHON, path: X86}))[0][0] is Place.MODULE
    twin: dict[str, Content] = {f"{SITE}/own/fast.py": Opaque()}
    assert places(scanned({**PYTHON, path: X86, **twin}))[0][0] is Place.OPTIONAL_MODULE


def test_a_package_that_has_arm64_modules_was_installed_for_arm64() -> None:
    files = {**PYTHON, f"{SITE}/a/_x.abi3.so": X86, f"{SITE}/a/_y.abi3.so": ARM64, f"{SITE}/b/_x.abi3.so": X86}
    found = scanned(files)
    assert group(found, Place.OPTIONAL_MODULE).packages == ("a",)
    assert group(found, Place.MODULE).packages == ("b",)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("/m/prebuilds/linux-x64/node.napi.node", "/m/prebuilds/linux-arm64/node.napi.armv8.node"),
        ("/n/@esbuild/linux-x64/bin/esbuild", "/n/@esbuild/linux-arm64/bin/esbuild"),
        ("/n/@swc/core-linux-x64-gnu/swc.node", "/n/@swc/core-linux-arm64-gnu/swc.node"),
        ("/n/@img/sharp-linuxmusl-x64/lib/sharp.node", "/n/@img/sharp-linuxmusl-arm64/lib/sharp.node"),
        ("/a/_m.cpython-311-x86_64-linux-gnu.so", "/a/_m.cpython-311-aarch64-linux-gnu.so"),
        ("/usr/lib/x86_64-linux-gnu/libz.so.1", "/usr/lib/aarch64-linux-gnu/libm.so.6"),
        ("/dotnet/runtimes/linux-x64/native/libe_sqlite3.so", "/dotnet/runtimes/linux-arm64/native/libe_sqlite3.so"),
        ("/gems/nokogiri-1.15-x86_64-linux/lib/n.so", "/gems/nokogiri-1.15-aarch64-linux/lib/n.so"),
        ("/bin/tool-amd64", "/bin/tool-arm64"),
        ("/bin/tool_linux_amd64", "/bin/tool_linux_arm64"),
        ("/x/librocksdbjni-linux64.so", "/x/librocksdbjni-linux-aarch64.so"),
    ],
)
def test_a_file_beside_its_arm64_sibling_is_only_told(theirs: str, ours: str) -> None:
    assert platform_key(theirs) == platform_key(ours)
    for base in (PYTHON, NODE, GO):
        assert places(scanned({**base, theirs: X86, ours: ARM64})) == [(Place.BESIDE_ARM64, None, 1)]
    assert places(scanned({**GO, theirs: X86}))[0][0] is Place.ELSEWHERE


@pytest.mark.parametrize("path", ["/usr/bin/server", "/srv/charming/x64ify/lib", "/opt/arming"])
def test_names_that_only_look_like_machines_are_no_keys(path: str) -> None:
    assert platform_key(path) is None


def test_c06_libraries_in_jars_are_judged_by_their_siblings() -> None:
    netty = jar(("META-INF/native/libnetty_x86_64.so", X86), ("META-INF/native/libnetty_aarch_64.so", ARM64))
    jna = jar(("com/sun/jna/linux-x86-64/libj.so", X86), ("com/sun/jna/linux-aarch64/libj.so", ARM64))
    old = jar(("org/xerial/snappy/native/Linux/x86_64/libsnappyjava.so", X86))
    good = scanned({**JAVA, "/lib/netty.jar": netty, "/lib/jna.jar": jna})
    assert places(good) == [(Place.BESIDE_ARM64, None, 2)]
    found = scanned({**JAVA, "/lib/netty.jar": netty, "/lib/snappy-1.0.jar": old})
    told = group(found, Place.OPTIONAL_MODULE)
    assert (told.runtime, told.packages) == (Runtime.JVM, ("snappy-1.0.jar",))
    assert told.paths == ("/lib/snappy-1.0.jar!/org/xerial/snappy/native/Linux/x86_64/libsnappyjava.so",)
    assert places(scanned({**GO, "/lib/snappy-1.0.jar": old})) == [(Place.ELSEWHERE, None, 1)]


def test_a_jar_of_its_own_for_arm64_is_a_sibling_too() -> None:
    files: Files = {
        **JAVA,
        "/l/tcnative-2.0-linux-x86_64.jar": jar(("META-INF/native/a_x86_64.so", X86)),
        "/l/tcnative-2.0-linux-aarch_64.jar": jar(("META-INF/native/a_aarch_64.so", ARM64)),
    }
    assert places(scanned(files)) == [(Place.BESIDE_ARM64, None, 1)]


def test_archives_that_could_not_be_read_are_named_with_the_first_reason() -> None:
    found = scanned({**JAVA, "/a.jar": jar(fault="It is encrypted."), "/b.jar": jar(fault="It is cut off.")})
    assert (found.unread, found.unread_reason) == (("/a.jar", "/b.jar"), "It is encrypted.")


def test_files_for_third_machines_and_other_systems_say_nothing() -> None:
    others: Files = {
        "/x/bpf.o": ElfHeader(0xF7),
        "/x/ppc": ElfHeader(0x15),
        "/x/setup.exe": Opaque("Windows program"),
        "/x/mac": Opaque("macOS program"),
    }
    assert places(scanned({**GO, **others})) == []
    assert places(scanned({**GO, "/x/old": ElfHeader(I386_MACHINE)})) == [(Place.ELSEWHERE, None, 1)]


def test_samples_are_told_apart() -> None:
    path = "/usr/local/go/src/debug/elf/testdata/gcc-amd64-linux-exec"
    assert places(scanned({**GO, path: X86})) == [(Place.SAMPLE, None, 1)]


def test_files_of_one_kind_are_one_group_with_the_first_few_in_order() -> None:
    found = scanned({**GO, **{f"/opt/{number:03}": X86 for number in reversed(range(400))}})
    assert places(found) == [(Place.ELSEWHERE, None, 400)]
    assert found.foreign[0].paths == ("/opt/000", "/opt/001", "/opt/002", "/opt/003", "/opt/004")


def test_what_the_start_was_told_of_is_not_told_again() -> None:
    assert places(scanned({"/app": X86, "/bin/other": X86})) == [(Place.ELSEWHERE, None, 1)]
    assert scanned({"/app": X86}).start.layer == 1


WHEEL = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-manylinux_2_17_x86_64\n"


def test_c06_wheels_for_x86_are_named_with_version_and_tag() -> None:
    path = f"{SITE}/numpy-1.26.4.dist-info/WHEEL"
    found = scanned({**PYTHON, path: WHEEL})
    assert [(item.package, item.tag, item.path) for item in found.wheels] == [
        ("numpy 1.26.4", "cp311-cp311-manylinux_2_17_x86_64", path)
    ]


@pytest.mark.parametrize(
    ("path", "tags"),
    [
        ("/x-1.dist-info/WHEEL", b"Tag: py3-none-any\n"),
        ("/x-1.dist-info/WHEEL", b"Tag: cp311-cp311-manylinux_2_17_aarch64\n"),
        ("/x-1.dist-info/WHEEL", b"Tag: cp311-cp311-linux_x86_64\nTag: cp311-cp311-linux_aarch64\n"),
        ("/x-1.dist-info/WHEEL", b"Tag: cp311-cp311-win_amd64\n"),
        ("/x-1.dist-info/WHEEL", b"\xff\xfe"),
        ("/x-1.dist-info/METADATA", WHEEL),
    ],
)
def test_wheels_that_fit_are_not_told(path: str, tags: bytes) -> None:
    assert foreign_wheel(path, tags) is None


@pytest.mark.parametrize(
    ("path", "runtime", "is_loaded"),
    [
        ("/usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1/libcoreclr.so", Runtime.DOTNET, True),
        ("/app/runtimes/linux-x64/native/libe_sqlite3.so", Runtime.DOTNET, False),
        ("/usr/local/lib/php/extensions/no-debug-non-zts-20220829/redis.so", Runtime.PHP, False),
        ("/usr/lib/php/20220829/opcache.so", Runtime.PHP, False),
        ("/usr/lib/aarch64-linux-gnu/perl5/5.36/auto/DBI/DBI.so", Runtime.PERL, False),
        ("/opt/jdk-17/lib/server/libjvm.so", Runtime.JVM, True),
        ("/usr/lib/jvm/java-8/jre/lib/aarch64/libnio.so", Runtime.JVM, True),
    ],
)
def test_modules_of_further_interpreters_are_known_by_their_place(path: str, runtime: Runtime, is_loaded: bool) -> None:
    module = native_module(path)
    assert module is not None
    assert (module.runtime, module.is_loaded) == (runtime, is_loaded)


def test_ordinary_files_are_no_modules() -> None:
    assert native_module("/usr/lib/libz.so.1") is None
    assert native_module("/usr/bin/python3") is None


def test_hard_links_and_faults_of_the_tree_are_heeded() -> None:
    tree = tree_of({**GO, "/opt/one": X86})
    tree.add_hard_link("/opt/two", "/opt/one")
    assert scan_image(tree, ImageConfig(entrypoint=("/opt/two",))).start.verdict is BinaryVerdict.X86_64
    tree.add_hard_link("/opt/three", "/nothing")
    assert "cannot be unpacked" in scan_image(tree, ImageConfig(entrypoint=("/app",))).start.reason


@pytest.mark.parametrize(
    "path",
    [
        "/gems/" + "-1" * 2000 + "/x.so",
        "/jvm/lib" * 500 + "/x.so",
        "/x" + ".abi3" * 800 + ".so",
        "/x.cpython-" + "1" * 4000 + ".so",
        "/node_modules/" * 290,
        "/perl/auto" * 400 + "/x.so",
        "/usr/lib/lib.so" + ".1" * 2000,
        "/x64" * 1000,
        "/site-packages" * 280,
    ],
)
@pytest.mark.timeout(120)
def test_names_made_to_waste_time_waste_none(path: str) -> None:
    for _ in range(200):
        native_module(path)
        platform_key(path)
    scanned({**PYTHON, path: X86})


@pytest.mark.timeout(120)
def test_a_large_image_is_judged_whole() -> None:
    tree = FileTree()
    tree.begin_layer()
    tree.add_file("/app", ARM64, is_executable=True)
    for number in range(200_000):
        content = (ARM64, X86, Opaque(), Opaque(), Opaque())[number % 5]
        tree.add_file(f"/usr/lib/{number % 500}/x86_64/lib{number}.so", content, is_executable=True)
    found = scan_image(tree, ImageConfig(entrypoint=("/app",)))
    assert found.foreign[0].count == 40_000
