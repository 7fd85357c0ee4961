"""The entries of a layer as bytes and back: JSON, a list an entry, so that reading them can run nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from sys import intern
from typing import Any

from migrate.adapters.registry.tar_stream import NO_FACTS, EntryKind, FileFacts, TarEntry
from migrate.core.image.executables import PLAIN, Archive, ElfHeader, Executable, Opaque, Script

_KINDS = {kind: number for number, kind in enumerate(EntryKind)}
_BY_NUMBER = tuple(EntryKind)
_PLAIN_FILE, _PROGRAM_FILE = "f", "x"


def encoded(entries: Iterable[TarEntry]) -> bytes:
    """Return entries as JSON."""
    return json.dumps([_record(entry) for entry in entries], separators=(",", ":")).encode()


def decoded(body: bytes) -> Iterator[TarEntry]:
    """Yield the entries again. Raises ValueError, TypeError or LookupError for what ``encoded`` did not write."""
    return map(_entry, json.loads(body))


def _record(entry: TarEntry) -> list[Any]:
    if entry.kind is not EntryKind.FILE:
        return [_KINDS[entry.kind], entry.path, entry.target]
    name = _PROGRAM_FILE if entry.is_executable else _PLAIN_FILE
    if entry.facts is NO_FACTS:
        return [name, entry.path]
    content, kept = entry.facts
    return [name, entry.path, _content_record(content), kept.decode("latin-1")]


def _entry(record: list[Any]) -> TarEntry:
    kind = record[0]
    if kind not in {_PLAIN_FILE, _PROGRAM_FILE}:
        _, path, target = record
        return TarEntry(_BY_NUMBER[kind], _text(path), _text(target))
    is_program = kind == _PROGRAM_FILE
    if len(record) == len(("kind", "path")):
        return TarEntry(EntryKind.FILE, _text(record[1]), "", is_program)
    _, path, content, kept = record
    facts = FileFacts(_content(content), _text(kept).encode("latin-1"))
    return TarEntry(EntryKind.FILE, _text(path), "", is_program, facts)


def _content_record(content: Executable) -> list[Any]:
    if isinstance(content, ElfHeader):
        return ["elf", *_header_record(content)]
    if isinstance(content, Script):
        return ["script", content.interpreter, content.argument, content.text]
    if isinstance(content, Archive):
        return ["zip", [[name, *_header_record(header)] for name, header in content.members], content.fault]
    return ["other", content.kind]


def _content(record: list[Any]) -> Executable:
    kind, *rest = record
    if kind == "elf":
        return _header(rest)
    if kind == "script":
        interpreter, argument, text = map(_text, rest)
        return Script(interpreter, argument, text)
    if kind == "zip":
        members, fault = rest
        return Archive(tuple((_text(name), _header(header)) for name, *header in members), _text(fault))
    if kind == "other":
        return Opaque(_text(rest[0])) if rest[0] else PLAIN
    raise ValueError(kind)


def _header_record(header: ElfHeader) -> list[Any]:
    return [header.machine, header.loader, list(header.needed), list(header.library_path)]


def _header(record: list[Any]) -> ElfHeader:
    machine, loader, needed, library_path = record
    if not isinstance(machine, int):
        raise TypeError(machine)
    return ElfHeader(machine, intern(_text(loader)), _texts(needed), _texts(library_path))


def _texts(values: list[Any]) -> tuple[str, ...]:
    return tuple(intern(_text(value)) for value in values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
