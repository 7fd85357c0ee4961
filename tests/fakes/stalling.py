"""A process that applies stage 0 to the scripted world and stops itself at an event, as a closed laptop would."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass, replace

from migrate.adapters.store.record_store import SqlRecordStore
from migrate.core.evidence import Event
from migrate.errors import ExitCode, MigrateError
from migrate.workflows.engine import Asked, engine
from tests.fakes.migration import Operator


@dataclass
class Sleeper:
    """The port Narrator: stops this process once an event of the kind is told, until somebody lets it go on."""

    kind: str

    def tell(self, event: Event) -> None:
        if event.kind == self.kind and event.step != "operator":
            self.kind = ""
            os.kill(os.getpid(), signal.SIGSTOP)


def main(url: str, kind: str) -> None:
    operator = Operator.of()
    run = replace(operator.run("apply", 0), id="run-asleep", process=os.getpid())
    with SqlRecordStore(url) as store:
        runtime = replace(operator.runtime, store=store, narrator=Sleeper(kind))
        told = ""
        try:
            with engine(url, lambda _: runtime) as running:
                code = running.start(Asked("apply"), run).exit_code
        except MigrateError as error:
            code, told = error.exit_code, str(error)
    sys.stdout.write(json.dumps({"code": ExitCode(code), "told": told, "calls": operator.stacks.calls}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
