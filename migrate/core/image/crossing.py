"""What of an amd64 image will not simply be there for arm64: read from its files before anything is built.

Whatever a package manager installed comes again from the distribution of the other platform. What is left, programs
that were copied in or compiled, and packages that are made for x86 only, is what somebody has to look at.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrate.core.image.executables import AARCH64_MACHINE, X86_64_MACHINE, Archive, ElfHeader
from migrate.core.image.filesystem import FileTree

_X86 = frozenset({X86_64_MACHINE, 0x03})
_OWNED_BY_DISTRIBUTION = re.compile(r"(?:usr/(?!local/|src/|share/java/)|bin/|sbin/|lib\d*/|libexec/|etc/|var/lib/)")
"""Where files are taken to be a package's when the image's package database cannot be read (FHS 3.0)."""

_RPM_DATABASES = ("/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm")
_WHEEL_FILE = re.compile(r"/(?P<name>[^/]+)\.dist-info/WHEEL$")
_TAG = re.compile(r"^Tag:\s*(\S*(?:linux|musllinux)\S*_(?:x86_64|amd64|i686))\s*$", re.MULTILINE)
_INSIDE_PYTHON = re.compile(r"/(?:site|dist)-packages/")


@dataclass(frozen=True, slots=True)
class X86Only:
    """Something known to be published for x86 alone, or for it first: how its files are named, and what to do."""

    name: str
    path: re.Pattern[str]
    advice: str


X86_ONLY = (
    # Intel oneMKL, "System Requirements": Intel 64 architecture.
    X86Only("Intel oneMKL", re.compile(r"/libmkl_(?:rt|core|def|avx\w*|intel\w*)\.so"), "Use OpenBLAS or Arm PL."),
    # Intel oneAPI DPC++/C++ compiler, "System Requirements": Intel 64 architecture; so its run-time libraries.
    X86Only(
        "Intel compiler run-time", re.compile(r"/lib(?:svml|imf|irc|intlc|iomp5)\.so"), "Compile with GCC or Clang."
    ),
    # Intel IPP, "System Requirements": Intel 64 architecture.
    X86Only("Intel IPP", re.compile(r"/libipp(?:core|i|s|cv|cc|vm|dc)\.so"), "Use a library that has arm64."),
    # NVIDIA CUDA installation guide for Linux: targets/x86_64-linux, sbsa-linux (arm64 servers), aarch64-linux.
    X86Only("CUDA for x86_64", re.compile(r"/targets/x86_64-linux/lib/"), "Use the sbsa packages; Fargate has no GPU."),
    # Oracle Instant Client downloads: Linux ARM (aarch64) begins with 19.10.
    X86Only(
        "Oracle Instant Client before 19",
        re.compile(r"/libclntsh\.so\.(?:10|11|12|18)(?:\.|$)"),
        "Move to 19.10 or newer, which has aarch64.",
    ),
    # Google Chrome for Linux was published as amd64 packages only (google.com/chrome, dl.google.com/linux).
    X86Only(
        "Google Chrome",
        re.compile(r"^/opt/google/chrome(?:-\w+)?/chrome$"),
        "Use Chromium, or a version of Chrome that has an arm64 package.",
    ),
    # puppeteer/puppeteer issue 7740: downloads for Linux were linux64 alone for years.
    X86Only(
        "Chrome for Testing",
        re.compile(
            r"/(?:chrome|chromedriver|chrome-headless-shell)-linux64/(?:chrome|chromedriver|chrome-headless-shell)$"
        ),
        "Use Chromium and its driver from the distribution, or a version that has linux-arm64.",
    ),
    # ibmdb/python-ibmdb issues 984 and 989, ibmdb/go_ibm_db issue 269: no driver for Linux on arm64.
    X86Only(
        "IBM Db2 CLI driver",
        re.compile(r"/clidriver/lib/libdb2\.so"),
        "Reach Db2 by its JDBC driver, or keep what needs it on amd64.",
    ),
    # phantomjs.org/download: Linux 64-bit and 32-bit x86.
    X86Only("PhantomJS", re.compile(r"/phantomjs$"), "Use a headless Chromium; PhantomJS is no longer developed."),
    # wkhtmltopdf/packaging releases: arm64 for some distributions from 0.12.6 on.
    X86Only(
        "wkhtmltopdf (own build)",
        re.compile(r"/(?:usr/local|opt)/\S*(?:wkhtmltopdf|libwkhtmltox\.so[\d.]*)$"),
        "Install the arm64 package of 0.12.6 for your distribution.",
    ),
    # tracker.debian.org/openssl1.0: removed with Debian 10.
    X86Only(
        "OpenSSL 1.0",
        re.compile(r"/libssl\.so\.1\.0\.\w+$"),
        "Current distributions have it for no platform: move to OpenSSL 3.",
    ),
)
"""By file evidence: a path or a library's name; each line's comment names where its maker says for what it is."""


_RUNTIMES = (
    # Official images on Docker Hub and others put a language's run-time where no package manager knows of it.
    (
        "Python",
        re.compile(r"^/usr/local/(?:bin/(?:python|idle|pydoc)[\d.]*|lib/(?:libpython|python[\d.]+/lib-dynload/))"),
    ),
    ("Node.js", re.compile(r"^/usr/local/bin/(?:node|bun|deno)$|^/opt/yarn")),
    ("Go", re.compile(r"^/usr/local/go/")),
    ("Rust", re.compile(r"^/usr/local/(?:cargo|rustup)/")),
    ("Ruby", re.compile(r"^/usr/local/(?:bin/ruby|lib/(?:libruby|ruby/[\d.]+/x86_64))")),
    ("PHP", re.compile(r"^/usr/local/(?:s?bin/(?:php|phpdbg)|lib/(?:libphp|php/extensions/))")),
    ("Java", re.compile(r"^/(?:opt/java|opt/jdk|opt/jre|usr/local/openjdk|usr/lib/jvm|usr/java)")),
    (".NET", re.compile(r"^/usr/(?:share|lib)/dotnet/")),
)
"""Run-times that come with a base image, which has them for arm64 when it has arm64 at all."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """What was found in an amd64 image, all paths absolute and in order.

    ``own`` are x86 programs and libraries of no installed package; ``owners_known`` tells whether the package
    database could be read, or only the place of a file speaks. ``x86_only`` are name, path and advice. ``wheels`` are
    Python packages with x86 code and their tags, ``node_modules`` native modules of Node, ``jars`` Java archives whose
    native code is for x86 alone, ``runtimes`` the languages that the base image brings. ``problem`` says why nothing
    was found out.
    """

    digest: str
    own: tuple[str, ...] = ()
    owners_known: bool = True
    x86_only: tuple[tuple[str, str, str], ...] = ()
    wheels: tuple[tuple[str, str], ...] = ()
    node_modules: tuple[str, ...] = ()
    jars: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    problem: str = ""


def crossing(digest: str, tree: FileTree) -> Crossing:
    """Judge the files of an amd64 image by what owns them and what they are."""
    if tree.faults:
        return Crossing(digest, problem=f"its layers cannot be unpacked as written: {tree.faults[0]}")
    owned, known = _owned(tree)
    own, node, jars, special, wheels = [], [], [], [], []
    runtimes: set[str] = set()
    for path, file in tree.files():
        wheel = _WHEEL_FILE.search(path)
        if wheel and file.kept:
            wheels += [(wheel["name"], tag) for tag in _TAG.findall(file.kept.decode("utf-8", "replace"))[:1]]
        if isinstance(file.content, Archive) and path.endswith((".jar", ".war", ".ear")) and _x86_alone(file.content):
            jars.append(path)
        if not isinstance(file.content, ElfHeader) or file.content.machine not in _X86:
            continue
        only = next((item for item in X86_ONLY if item.path.search(path)), None)
        if only is not None:
            special.append((only.name, path, only.advice))
        elif path.endswith(".node"):
            node.append(path)
        elif runtime := next((name for name, where in _RUNTIMES if where.search(path)), ""):
            runtimes.add(runtime)
        elif not _INSIDE_PYTHON.search(path) and not _belongs(path, owned, known=known):
            own.append(path)
    found = (tuple(wheels), tuple(node), tuple(jars), tuple(sorted(runtimes)))
    return Crossing(digest, tuple(own), known, _each_once(special), *found)


def _each_once(special: list[tuple[str, str, str]]) -> tuple[tuple[str, str, str], ...]:
    return tuple({name: (name, path, advice) for name, path, advice in reversed(special)}.values())[::-1]


def _x86_alone(archive: Archive) -> bool:
    machines = {header.machine for _, header in archive.members}
    return bool(machines & _X86) and AARCH64_MACHINE not in machines


def _belongs(path: str, owned: frozenset[str], *, known: bool) -> bool:
    return path in owned if known else _OWNED_BY_DISTRIBUTION.match(path.lstrip("/")) is not None


def _owned(tree: FileTree) -> tuple[frozenset[str], bool]:
    """Return the files of installed packages by their real paths, and whether that is all of them."""
    listed = {
        path: file.kept
        for path, file in tree.files()
        if path.startswith(("/var/lib/dpkg/", "/lib/apk/db/", "/usr/lib/apk/db/")) and file.kept
    }
    found: set[str] = set()
    for path, kept in listed.items():
        text = kept.decode("utf-8", "replace")
        if path.endswith("/apk/db/installed"):
            found.update(_apk_files(text))
        elif path.endswith(".list"):
            found.update(line for line in text.splitlines() if line.startswith("/"))
        elif path.endswith(".md5sums"):
            found.update(
                f"/{line.split(maxsplit=1)[1]}" for line in text.splitlines() if len(line.split(maxsplit=1)) > 1
            )
    if found:
        # A package says /bin/sh where /bin is a link to /usr/bin by now.
        return frozenset(tree.find(path).path for path in found), True
    without_packages = not any(_is_there(tree, path) for path in (*_RPM_DATABASES, "/var/lib/dpkg", "/lib/apk/db"))
    return frozenset(), without_packages


def _is_there(tree: FileTree, path: str) -> bool:
    return tree.find(path).node is not None


def _apk_files(text: str) -> Iterator[str]:
    """Yield the files of apk's database: ``F:`` a directory, ``R:`` a file in it (Alpine, "Apk spec")."""
    directory = ""
    for line in text.splitlines():
        if line.startswith("F:"):
            directory = line[2:]
        elif line.startswith("R:"):
            yield posixpath.join("/", directory, line[2:])
