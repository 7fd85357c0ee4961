"""Which files an interpreter loads as native modules, and what stands beside a file for another platform.

Sources: PEP 3149 and PEP 427 (names and tags of Python's extension modules and wheels), Node.js addons and
node-gyp-build's ``prebuilds`` directories, RubyGems' ``extensions`` directories, the native libraries of netty, JNA,
snappy-java and rocksdbjni inside their jars, .NET's ``runtimes/<rid>/native``.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from migrate.core.image.scan_runtimes import Runtime, falls_back

_PLATFORM_NAME = re.compile(
    r"[-_.]?(?:(?<![A-Za-z0-9])(?:x86[_-]64|x64|amd64|x86|i[3-6]86|ia32|aarch[_-]?64(?:[_-]?be)?|arm64(?:[_-]?v?8)?"
    r"|arm(?:v[678]l?|hf|el)?|ppc64(?:le|el)?|s390x|riscv64|mips64(?:el|le)?|loong(?:arch)?64)"
    r"|(?<=linux)(?:x64|64|32))(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SAMPLES = re.compile(r"/(?:testdata|tests?|fixtures|examples?|docs?)/")

# Only names that end in `.so` are tried against these: nothing in them looks further than the next slash.
_EXTENSION = re.compile(r"\.(?:cpython-\d|pypy\d|abi3\.)[\w.-]*")
_SITE = re.compile(r"/(?:site|dist)-packages/(?P<top>[^/]+)")
_DYNLOAD = "/lib-dynload/"
_NODE_PACKAGES = "/node_modules/"
_GEM = re.compile(r"/(?:gems|extensions/[^/]+/[^/]+)/(?P<name>[^/]+)/")
_GEM_VERSION = re.compile(r"-\d.*")
_JVM = re.compile(r"/(?:jvm|jre|jdk|java|openjdk|graalvm|corretto)[^/]*/")
_PHP = re.compile(r"/(?:no-debug-(?:non-)?zts-|debug-(?:non-)?zts-|php/|php/modules/)\d*/?[^/]+$")
_PERL = re.compile(r"/perl[^/]*/")
_DOTNET_OWN = ("/dotnet/shared/", "/dotnet/host/")
_DOTNET_RUNTIMES = re.compile(r"/runtimes/[^/]+/native/")
_ARCHIVE_OF = {
    ".jar": Runtime.JVM,
    ".war": Runtime.JVM,
    ".ear": Runtime.JVM,
    ".whl": Runtime.PYTHON,
    ".egg": Runtime.PYTHON,
    ".pyz": Runtime.PYTHON,
}


@dataclass(frozen=True, slots=True)
class NativeModule:
    """A file that an interpreter loads: the package it belongs to, and the package's place in the image.

    ``is_loaded`` says that an import of the package needs just this kind of file, so that a file for another machine
    fails it; False for what may lie beside (helper programs, optional addons, libraries with a fall-back).
    """

    runtime: Runtime
    package: str
    place: str
    is_loaded: bool


@dataclass(frozen=True, slots=True)
class ForeignWheel:
    """A Python package that was installed for another machine: name and version, its tag, and the file that says so."""

    package: str
    tag: str
    path: str


def platform_key(path: str) -> str | None:
    """Return a path with the names of CPUs taken out, None where it holds none.

    It ends with the first directory that is named for a CPU: two files with the same key stand side by side for
    different machines (``prebuilds/linux-x64/…`` and ``prebuilds/linux-arm64/…``).
    """
    match = _PLATFORM_NAME.search(path)
    if match is None:
        return None
    end = path.find("/", match.end())
    return _PLATFORM_NAME.sub("*", path if end < 0 else path[:end])


def is_sample(path: str) -> bool:
    """Whether a file is test data or documentation rather than something that runs."""
    return _SAMPLES.search(path) is not None


def native_module(path: str) -> NativeModule | None:
    """Return what an ELF file is to an interpreter, by its place and name; None for an ordinary program or library."""
    return _python(path) or _node(path) or _ruby(path) or _dotnet(path) or _others(path)


def archive_runtime(path: str) -> Runtime | None:
    """Return the interpreter that reads an archive of this name."""
    return _ARCHIVE_OF.get(posixpath.splitext(path)[1].lower())


def foreign_wheel(path: str, content: bytes) -> ForeignWheel | None:
    """Return a wheel whose tags all name an x86 Linux; ``content`` is its WHEEL file (PEP 427)."""
    if not path.endswith(".dist-info/WHEEL"):
        return None
    lines = content.decode("utf-8", "replace").splitlines()
    tags = [line.partition(":")[2].strip() for line in lines if line.startswith("Tag:")]
    if not tags or not all("linux" in tag and tag.endswith(("x86_64", "amd64", "i686", "i386")) for tag in tags):
        return None
    name, _, version = posixpath.basename(posixpath.dirname(path)).removesuffix(".dist-info").partition("-")
    return ForeignWheel(f"{name} {version}".strip(), tags[0], path)


def _python(path: str) -> NativeModule | None:
    is_extension = path.endswith(".so") and _EXTENSION.search(path, path.rfind("/") + 1) is not None
    site = _SITE.search(path)
    if site is not None:
        package = site["top"].partition(".")[0]
        is_loaded = is_extension and not falls_back(Runtime.PYTHON, package)
        return NativeModule(Runtime.PYTHON, package, f"{path[: site.start('top')]}{package}", is_loaded)
    if _DYNLOAD in path:
        place = path.partition(_DYNLOAD)[0]
        return NativeModule(Runtime.PYTHON, "standard library", place, is_loaded=True)
    if is_extension:
        place, _, name = path.rpartition("/")
        package = posixpath.basename(place) or name.partition(".")[0]
        return NativeModule(Runtime.PYTHON, package, place, is_loaded=True)
    return None


def _node(path: str) -> NativeModule | None:
    is_addon = path.endswith(".node")
    at = path.rfind(_NODE_PACKAGES)
    if at >= 0:
        start = at + len(_NODE_PACKAGES)
        parts = path[start:].split("/")
        name = "/".join(parts[: 2 if parts[0].startswith("@") else 1])
        is_loaded = is_addon and not falls_back(Runtime.NODE, name)
        return NativeModule(Runtime.NODE, name, f"{path[:start]}{name}", is_loaded)
    if is_addon:
        place = posixpath.dirname(path)
        return NativeModule(Runtime.NODE, posixpath.basename(place) or "/", place, is_loaded=True)
    return None


def _ruby(path: str) -> NativeModule | None:
    if not path.endswith(".so"):
        return None
    gem = next((item for item in _GEM.finditer(path) if _GEM_VERSION.search(item["name"])), None)
    if gem is not None:
        name = _GEM_VERSION.sub("", gem["name"])
        return NativeModule(Runtime.RUBY, gem["name"], gem["name"], not falls_back(Runtime.RUBY, name))
    if "/lib/ruby/" in path:
        return NativeModule(Runtime.RUBY, "standard library", path.partition("/lib/ruby/")[0], is_loaded=True)
    return None


def _dotnet(path: str) -> NativeModule | None:
    place, name = posixpath.split(path)
    if _DOTNET_RUNTIMES.search(path):
        return NativeModule(Runtime.DOTNET, name, place, is_loaded=False)
    if name.endswith(".so") and any(part in path for part in _DOTNET_OWN):
        return NativeModule(Runtime.DOTNET, ".NET", place, is_loaded=True)
    return None


def _others(path: str) -> NativeModule | None:
    if not path.endswith(".so"):
        return None
    place, name = posixpath.split(path)
    java = _JVM.search(path)
    if java is not None and path.find("/lib/", java.end() - 1) >= 0:
        return NativeModule(Runtime.JVM, "JVM", place, is_loaded=True)
    if _PHP.search(path):
        return NativeModule(Runtime.PHP, name, place, is_loaded=False)
    if _PERL.search(path) and "/auto/" in path:
        return NativeModule(Runtime.PERL, name, place, is_loaded=False)
    return None
