"""Running one set-up command: its output to a file, a time limit, and a plain word when it fails."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from migrate.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LAST_LINES = 15
_NETWORK_TROUBLE = (
    "timeout",
    "timed out",
    "connection reset",
    "connection refused",
    "temporary failure",
    "unexpected eof",
    "tls handshake",
    "502 bad gateway",
    "503 service unavailable",
    "error sending request",
    "stream error",
)


_DISTRUST = ("certificate_verify_failed", "certificate signed by unknown authority", "unknownissuer")


class CommandFailedError(EngineError):
    """A set-up command ended with an error or ran into its time limit."""

    network_trouble = False


def run(
    command: Sequence[str | Path],
    *,
    part: str,
    log: Path,
    timeout: float,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run ``command`` with its output appended to ``log``, for at most ``timeout`` seconds.

    ``environment`` is laid over this process's own. Raises CommandFailedError naming ``part``, the command, its last
    lines and what to do. The child does not outlive this call.
    """
    arguments = [str(part_) for part_ in command]
    start = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        try:
            finished = subprocess.run(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**os.environ, **(environment or {})},
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _failed(part, arguments, log, start, f"did not end within {timeout:.0f} s") from error
        except OSError as error:
            raise _failed(part, arguments, log, start, f"could not be started: {error.strerror}") from error
    if finished.returncode != 0:
        raise _failed(part, arguments, log, start, f"ended with code {finished.returncode}")


def answer(
    command: Sequence[str | Path], *, timeout: float = 20.0, environment: Mapping[str, str] | None = None
) -> str | None:
    """Return the standard output of a short command, or None when it fails; ``environment`` as for ``run``."""
    try:
        finished = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, **(environment or {})},
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return finished.stdout.strip() if finished.returncode == 0 else None


def _failed(part: str, arguments: Sequence[str], log: Path, start: int, how: str) -> CommandFailedError:
    with log.open("rb") as written:
        written.seek(start)
        text = written.read().decode(errors="replace")
    last = "\n".join(f"    {line}" for line in text.strip().splitlines()[-_LAST_LINES:]) or "    (it printed nothing)"
    network = any(sign in text.lower() for sign in _NETWORK_TROUBLE)
    if any(sign in text.lower() for sign in _DISTRUST):
        then = "This network's certificate is not trusted here: name its authority in SSL_CERT_FILE and PIP_CERT."
    elif network:
        then = "This looks like trouble on the network: start the same command again, it goes on where it stopped."
    else:
        then = "Look at its output above, put right what it names, and start the same command again."
    error = CommandFailedError(
        f"{part} could not be made ready.",
        why=f"The command `{' '.join(arguments)}` {how}. Its last lines, from {log}:\n{last}\n",
        then=then,
    )
    error.network_trouble = network
    return error
