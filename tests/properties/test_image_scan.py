"""Trees of any content: a scan never fails, never says arm64 of an x86 start, and hangs on no order."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.image.binaries import BinaryVerdict, ProcessOverrides
from migrate.core.image.documents import ImageConfig
from migrate.core.image.executables import AARCH64_MACHINE, X86_64_MACHINE, Archive, ElfHeader, Executable, Opaque
from migrate.core.image.filesystem import FileTree
from migrate.core.image.scan import scan_image
from migrate.core.image.scan_commands import launched, read_shell
from migrate.core.image.scan_modules import foreign_wheel, native_module, platform_key
from tests.fakes.image_trees import script

relaxed = settings(deadline=None)

WORDS = [
    "/app",
    "app",
    "sh",
    "/bin/sh",
    "env",
    "-S",
    "tini",
    "--",
    "gosu",
    "-c",
    "exec",
    "$@",
    '"$@"',
    "$X",
    "${X:-/app}",
    "lib.so",
    "$ORIGIN/../lib",
    "site-packages",
    "linux-x64",
    "linux-arm64",
    "node_modules",
    "a.node",
    "python3",
    "..",
    "uname -m",
    "\n",
    ";",
    "&&",
    "'",
    '"',
    "`",
    "\\",
    "{",
    "}",
    "CMD",
    "CMD-SHELL",
    "NONE",
    "",
]
word = st.sampled_from(WORDS) | st.text(max_size=6)
words = st.lists(word, max_size=6).map(tuple)
machine = st.sampled_from([AARCH64_MACHINE, X86_64_MACHINE, 0x28, 3])
elves = st.builds(ElfHeader, machine, st.sampled_from(["", "/lib/ld.so", "/lib/ld-musl-aarch64.so.1"]), words, words)
text = st.lists(word, max_size=20).map(" ".join)
scripts = st.builds(lambda first, rest: script(f"#!{first}\n{rest}"), text, text)
archives = st.builds(Archive, st.lists(st.tuples(text, elves), max_size=3).map(tuple), st.sampled_from(["", "cut off"]))
contents = st.one_of(elves, scripts, archives, st.just(Opaque()), st.just(Opaque("Windows program")))
paths = st.lists(word, min_size=1, max_size=5).map("/".join)
Act = tuple[str, Executable, bool, bytes]
files = st.lists(st.tuples(paths, contents, st.booleans(), st.binary(max_size=20)), max_size=15)
configs = st.builds(
    ImageConfig,
    entrypoint=words,
    command=words,
    environment=st.lists(st.tuples(word, word), max_size=3).map(tuple),
    health_check=words,
    shell=words,
    working_directory=word,
)
overrides = st.builds(
    ProcessOverrides,
    entry_point=st.none() | words,
    health_check=st.none() | words,
    variables=st.lists(st.tuples(word, word), max_size=2).map(tuple),
)


def tree_of(made: list[Act], links: list[tuple[str, str]]) -> FileTree:
    tree = FileTree()
    tree.begin_layer()
    for path, content, is_executable, kept in made:
        tree.add_file(path, content, is_executable=is_executable, kept=kept)
    for path, target in links:
        tree.add_link(path, target)
    return tree


@relaxed
@given(made=files, links=st.lists(st.tuples(paths, paths), max_size=4), config=configs, over=overrides)
def test_c06_trees_of_any_content_are_judged(
    made: list[Any], links: list[tuple[str, str]], config: ImageConfig, over: ProcessOverrides
) -> None:
    tree = tree_of(made, links)
    found = scan_image(tree, config, over)
    assert found == scan_image(tree, config, over)
    if found.start.verdict is BinaryVerdict.ARM64:
        assert found.start.machine == AARCH64_MACHINE
    for group in found.foreign:
        assert group.count >= len(group.paths) > 0


@relaxed
@given(made=files, config=configs, data=st.data())
def test_c06_the_order_in_which_files_were_added_changes_nothing(
    made: list[Any], config: ImageConfig, data: st.DataObject
) -> None:
    apart = {path.strip("/"): (f"{number}/{path}", *rest) for number, (path, *rest) in enumerate(made)}
    one = list(apart.values())
    other = data.draw(st.permutations(one))
    assert scan_image(tree_of(one, []), config) == scan_image(tree_of(other, []), config)


@relaxed
@given(said=text | st.text(), arguments=words, path=st.text() | text, kept=st.binary())
def test_texts_of_any_content_are_read(said: str, arguments: tuple[str, ...], path: str, kept: bytes) -> None:
    reading = read_shell(said, {"X": "/app"})
    assert all(command and command[0] for command in reading.commands)
    for name in ("env", "tini", "gosu", "timeout", "poetry", "node"):
        handed = launched(name, arguments)
        assert handed is None or isinstance(handed, tuple)
    native_module(f"/{path}")
    platform_key(path)
    foreign_wheel(f"{path}.dist-info/WHEEL", kept)
