"""HTTP probes: what an endpoint answers, and after how long."""

from __future__ import annotations

import time

import httpx

from migrate.adapters.web import Web
from migrate.core.gate.answers import ProbeAnswer
from migrate.core.gate_checks import ProbeSource

_RUNBOOK = "gates#probes"


class HttpProbes:
    """The port ProbeSender over httpx."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def answers(self, probe: ProbeSource) -> tuple[ProbeAnswer, ...]:
        """Send the samples one after the other. Raises AccessError when a header's variable is not set."""
        headers = self._web.headers(probe.headers, _RUNBOOK)
        return tuple(self._one(probe, headers) for _ in range(probe.samples))

    def _one(self, probe: ProbeSource, headers: dict[str, str]) -> ProbeAnswer:
        begun = time.monotonic()
        try:
            status, body = self._web.send(probe.method, probe.url, probe.timeout, headers, follow=True)
        except httpx.TimeoutException:
            return ProbeAnswer(
                None, time.monotonic() - begun, problem=f"no answer within {probe.timeout.total_seconds():g} s"
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return ProbeAnswer(None, time.monotonic() - begun, problem=f"{type(error).__name__}: {error}".rstrip(": "))
        contains = probe.contains.encode() in body
        return ProbeAnswer(status, time.monotonic() - begun, contains=contains)
