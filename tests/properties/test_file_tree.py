from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.image.executables import PLAIN, ElfHeader
from migrate.core.image.filesystem import FileTree

Step = Callable[[FileTree], None]

names = st.sampled_from(["a", "b", "a", "b", "c", ".wh.a", ".wh..wh..opq", ".."])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
contents = st.sampled_from([PLAIN, ElfHeader(0xB7)])


def file(path: str, content: ElfHeader) -> Step:
    return lambda tree: tree.add_file(path, content, is_executable=True)


steps = st.one_of(
    st.builds(file, paths, contents),
    st.builds(lambda path: lambda tree: tree.add_directory(path), paths),
    st.builds(lambda path, target: lambda tree: tree.add_link(path, target), paths, paths),
    st.builds(lambda path, target: lambda tree: tree.add_hard_link(path, target), paths, paths),
    st.just(lambda tree: tree.begin_layer()),
)


@settings(deadline=None, max_examples=400)
@given(steps=st.lists(steps, max_size=25))
def test_what_the_tree_remembers_of_the_way_never_changes_where_a_name_leads(steps: list[Step]) -> None:
    quick, careful = FileTree(), FileTree()
    for step in steps:
        step(quick)
        careful._known.clear()
        step(careful)
        assert quick.root == careful.root
        assert quick.faults == careful.faults


@settings(deadline=None)
@given(steps=st.lists(steps, max_size=25), path=paths)
def test_a_path_always_leads_somewhere_inside_and_in_few_steps(steps: list[Step], path: str) -> None:
    tree = FileTree()
    for step in steps:
        step(tree)
    found = tree.find(path)
    assert found.path.startswith("/")
    assert ".." not in found.path.split("/")
    for listed, node in tree.files():
        assert tree.find(listed, follow_last=False).node is node
