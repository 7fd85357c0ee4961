"""Interpreters that load native modules, and which packages go on without theirs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from enum import StrEnum


class Runtime(StrEnum):
    """An interpreter that loads modules of its own, native ones among them."""

    PYTHON = "Python"
    NODE = "Node.js"
    RUBY = "Ruby"
    JVM = "the JVM"
    PHP = "PHP"
    PERL = "Perl"
    DOTNET = ".NET"


_RUNTIME_NAMES = (
    (re.compile(r"(?:python|pypy)[\d.]*(?:-config)?|uwsgi"), Runtime.PYTHON),
    (re.compile(r"node|nodejs"), Runtime.NODE),
    (re.compile(r"ruby[\d.]*"), Runtime.RUBY),
    (re.compile(r"java|jsvc"), Runtime.JVM),
    (re.compile(r"php[\d.]*(?:-fpm|-cli|-cgi)?[\d.]*|frankenphp"), Runtime.PHP),
    (re.compile(r"perl[\d.]*"), Runtime.PERL),
    (re.compile(r"dotnet"), Runtime.DOTNET),
)
_RUNTIME_LIBRARIES = (
    ("libpython", Runtime.PYTHON),
    ("libruby", Runtime.RUBY),
    ("libjvm.", Runtime.JVM),
    ("libjli.", Runtime.JVM),
    ("libphp", Runtime.PHP),
    ("libperl.", Runtime.PERL),
    ("libnode.", Runtime.NODE),
)


def runtime_of(path: str) -> Runtime | None:
    """Return the interpreter that a program is by its name."""
    name = posixpath.basename(path)
    return next((runtime for pattern, runtime in _RUNTIME_NAMES if pattern.fullmatch(name)), None)


def runtime_of_library(name: str) -> Runtime | None:
    """Return the interpreter that a library belongs to by its name."""
    return next((runtime for start, runtime in _RUNTIME_LIBRARIES if name.startswith(start)), None)


_FALL_BACK: Mapping[Runtime, frozenset[str]] = {
    Runtime.PYTHON: frozenset(
        {"_billiard", "_ruamel_yaml", "_yaml", "aiohttp", "billiard", "black", "blib2to3", "bson", "cassandra"}
        | {"charset_normalizer", "coverage", "frozenlist", "google", "google_crc32c", "hiredis", "httptools"}
        | {"immutables", "lazy_object_proxy", "markupsafe", "msgpack", "multidict", "mypy", "mypyc", "newrelic"}
        | {"propcache", "pvectorc", "pymongo", "pyrsistent", "rapidfuzz", "setproctitle", "simplejson", "sqlalchemy"}
        | {"tomli", "tornado", "uvloop", "websockets", "wrapt", "yaml", "yarl", "zope"}
    ),
    Runtime.NODE: frozenset({"bufferutil", "cpu-features", "msgpackr-extract", "utf-8-validate"}),
    Runtime.RUBY: frozenset({"bindex", "byebug", "debase", "debug", "jaro_winkler", "racc"}),
}
"""Packages with code of their own for want of the native module, or whose users catch its absence."""

_BUILD_TOOLS = re.compile(
    r"@(?:swc/core|next/swc|rollup/rollup|esbuild/|tailwindcss/oxide|parcel/|biomejs/|rspack/|nx/nx|oxc-|rolldown/"
    r"|unrs/|ast-grep/|turbo/)|lightningcss|turbo-linux|sass-embedded|fsevents"
)
"""Node.js packages that build an application; they often come along in node_modules and run no service."""


def falls_back(runtime: Runtime, package: str) -> bool:
    """Whether an application is known to go on where a package's native module cannot be loaded."""
    if package in _FALL_BACK.get(runtime, frozenset()) or package.endswith("__mypyc"):
        return True
    return runtime is Runtime.NODE and _BUILD_TOOLS.match(package) is not None
