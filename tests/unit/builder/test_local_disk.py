from __future__ import annotations

import socket
from pathlib import Path

import pytest

from migrate.adapters.builder.local_disk import free_bytes_behind, root_directory


@pytest.mark.parametrize(
    ("arguments", "root"),
    [
        (["/usr/bin/buildkitd", "--root", "/data"], "/data"),
        (["buildkitd", "--addr", "unix:///s", "--root=/data"], "/data"),
        (["buildkitd", "-root=/data", "--config", "CONFIG"], "/data"),
        (["buildkitd", "--config", "CONFIG"], "/from/config"),
        (["buildkitd", "--config=none.toml"], "/var/lib/buildkit"),
    ],
)
def test_buildkit_keeps_its_files_where_flag_or_settings_say(tmp_path: Path, arguments: list[str], root: str) -> None:
    config = tmp_path / "buildkitd.toml"
    config.write_text('root = "/from/config"\n')
    assert root_directory([item.replace("CONFIG", str(config)) for item in arguments]) == Path(root)


@pytest.mark.parametrize("arguments", [[], ["/usr/bin/dockerd"], ["python", "buildkitd"]])
def test_of_any_other_listener_nothing_is_known(arguments: list[str]) -> None:
    assert root_directory(arguments) is None


def test_a_socket_of_somebody_else_or_of_nobody_tells_nothing(tmp_path: Path) -> None:
    assert free_bytes_behind("tcp://127.0.0.1:1") is None
    assert free_bytes_behind(f"unix://{tmp_path}/none.sock") is None
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "some.sock"))
        listening.listen()
        assert free_bytes_behind(f"unix://{tmp_path}/some.sock") is None
