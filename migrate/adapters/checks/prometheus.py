"""Prometheus: instant queries over its HTTP API (prometheus.io, "HTTP API", instant queries)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import httpx

from migrate.adapters.web import Web, unreachable
from migrate.core.gate_checks import PrometheusSource
from migrate.errors import AccessError

_RUNBOOK = "gates#prometheus"
_SHOWN = 300


class Prometheus:
    """The port PrometheusReader over httpx."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def values(self, query: PrometheusSource) -> tuple[float, ...]:
        """Return the values of an instant query: one of a scalar, each of a vector. Raises AccessError."""
        headers = {
            **self._web.headers(query.headers, _RUNBOOK),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        url = f"{query.url.rstrip('/')}/api/v1/query"
        try:
            status, content = self._web.send(
                "POST", url, query.timeout, headers, urlencode({"query": query.query}).encode()
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(url, error, _RUNBOOK) from error
        return _values(url, status, content)


def _values(url: str, status: int, content: bytes) -> tuple[float, ...]:
    try:
        answer: Any = json.loads(content)
        if answer["status"] != "success":
            raise _refused(url, f"{answer.get('errorType', 'error')}: {answer.get('error', '')}")
        kind, result = answer["data"]["resultType"], answer["data"]["result"]
        if kind == "scalar":
            return (float(result[1]),)
        if kind == "vector":
            return tuple(float(item["value"][1]) for item in result)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise _refused(url, f"status {status}, and no answer of Prometheus") from error
    raise _refused(url, f"the query has a {kind} as result; a scalar or an instant vector is needed")


def _refused(url: str, why: str) -> AccessError:
    return AccessError(
        f"{url} refused the query.",
        why=f"{why[:_SHOWN]}.",
        then="Try the query in the expression browser of Prometheus.",
        runbook=_RUNBOOK,
    )
