"""A language host for Pulumi programs in Python, over the SDK's own server: Pulumi's is a Go program of another build.

Started by the engine as ``pulumi-language-python [options] <engine>``; it tells its port and serves until the engine
ends it. The program is ``__main__.py`` of the folder that the engine names.
"""

from __future__ import annotations

import os
import runpy
import sys
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc


class _Host(LanguageServer):
    """Runs the program of the request's folder."""

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Run it as ``python .`` would: its own folder is the working directory and comes first among the modules."""
        folder = Path(request.info.program_directory or request.pwd or ".")
        os.chdir(folder)
        sys.path.insert(0, str(folder))

        def program() -> None:
            runpy.run_path(str(folder / "__main__.py"), run_name="__main__")

        self.program = program
        return super().Run(request, context)  # type: ignore[no-untyped-call]


def install(folder: Path) -> None:
    """Put the host into a folder that is to be on PATH."""
    host = folder / "pulumi-language-python"
    host.write_text(f'#!/bin/sh\nexec {sys.executable} -m {__name__} "$@"\n', encoding="utf-8")
    host.chmod(0o755)


def main() -> None:
    """Serve until the engine ends this process."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(_Host(lambda: None), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
