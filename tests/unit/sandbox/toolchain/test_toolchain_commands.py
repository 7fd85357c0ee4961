from __future__ import annotations

import sys
from pathlib import Path

import pytest

from migrate.sandbox.toolchain.commands import CommandFailedError, answer, run


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_failure_names_the_part_the_command_its_last_lines_and_what_to_do(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import sys; [print('line', n) for n in range(100)]; sys.exit(3)"

    with pytest.raises(CommandFailedError) as failed:
        run(_python(code), part="The tool", log=log, timeout=30)

    assert failed.value.what == "The tool could not be made ready."
    assert sys.executable in failed.value.why
    assert "ended with code 3" in failed.value.why
    assert "line 99" in failed.value.why
    assert "line 84" not in failed.value.why
    assert str(log) in failed.value.why
    assert failed.value.then
    assert not failed.value.network_trouble
    assert len(log.read_text().splitlines()) == 100


def test_only_the_failing_commands_own_output_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(_python("print('the first, which went well')"), part="The tool", log=log, timeout=30)

    with pytest.raises(CommandFailedError) as failed:
        run(_python("raise SystemExit(1)"), part="The tool", log=log, timeout=30)

    assert "the first" not in failed.value.why
    assert "it printed nothing" in failed.value.why


def test_network_trouble_is_told_from_a_broken_build(tmp_path: Path) -> None:
    code = "import sys; print('go: dial tcp: i/o timeout'); sys.exit(1)"

    with pytest.raises(CommandFailedError) as failed:
        run(_python(code), part="The tool", log=tmp_path / "log", timeout=30)

    assert failed.value.network_trouble
    assert "network" in failed.value.then


def test_a_network_that_is_not_trusted_is_told_with_the_way_out(tmp_path: Path) -> None:
    code = "import sys; print('tls: failed to verify: x509: certificate signed by unknown authority'); sys.exit(1)"

    with pytest.raises(CommandFailedError) as failed:
        run(_python(code), part="The tool", log=tmp_path / "log", timeout=30)

    assert "SSL_CERT_FILE" in failed.value.then


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    code = "import threading; threading.Event().wait()"

    with pytest.raises(CommandFailedError, match="did not end within 0 s"):
        run(_python(code), part="The tool", log=tmp_path / "log", timeout=0.2)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="no-such-program` could not be started"):
        run([tmp_path / "no-such-program"], part="The tool", log=tmp_path / "log", timeout=5)


def test_an_answer_is_had_only_from_a_command_that_ends_well(tmp_path: Path) -> None:
    assert answer(_python("print(' v1.2 ')")) == "v1.2"
    assert answer(_python("print('v1.2'); raise SystemExit(1)")) is None
    assert answer([tmp_path / "no-such-program"]) is None
    assert answer(_python("import threading; threading.Event().wait()"), timeout=0.2) is None
