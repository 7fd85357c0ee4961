"""Reads what Fargate costs from the AWS Price List.

Sources: AWS Price List Query API reference, GetProducts; its endpoints are in three regions only and tell the prices of
all (AWS General Reference, "AWS Billing and Cost Management endpoints"). Usage types of Fargate: facts "Prices".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from botocore.exceptions import ClientError

from migrate.adapters.aws.errors import is_unknown_operation, translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.cost.prices import HourlyRates

SOURCE = "AWS Price List"
_ENDPOINTS = {"ap": "ap-south-1", "eu": "eu-central-1"}
_ELSEWHERE = "us-east-1"
_USAGE = re.compile(
    r"(?:[A-Z][A-Z0-9]*-)?(?P<spot>SpotUsage-)?Fargate-(?P<arm>ARM-)?(?:(?P<vcpu>vCPU-Hours:perCPU)|GB-Hours)"
)


class AwsPriceReader:
    """The port PriceReader over boto3."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def fargate_rates(self, region: str) -> HourlyRates | None:
        """Return what Fargate costs in a region; None where the list does not tell it, or there is no list.

        Raises AccessError where it may not be asked, or cannot be reached.
        """
        return self._session.once("pricing:GetProducts", region, lambda: self._read(region))

    def _read(self, region: str) -> HourlyRates | None:
        endpoint = _ENDPOINTS.get(region.partition("-")[0], _ELSEWHERE)
        with translated("pricing", endpoint):
            try:
                pages = (
                    self._session.pricing(endpoint)
                    .get_paginator("get_products")
                    .paginate(
                        ServiceCode="AmazonECS",
                        Filters=[{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
                        FormatVersion="aws_v1",
                    )
                )
                return rates(region, [json.loads(text) for page in pages for text in page["PriceList"]])
            except ClientError as error:
                if is_unknown_operation(error):
                    return None
                raise


def rates(region: str, products: Iterable[Mapping[str, Any]]) -> HourlyRates | None:
    """Return the rates of a region out of the products of AmazonECS; None where one of the four on-demand ones lacks.

    Linux only: the usage types of Windows, of storage and of ECS Anywhere are none of these.
    """
    found: dict[str, Decimal] = {}
    currencies, dates = set(), set()
    for product in products:
        usage = _USAGE.fullmatch(str(product.get("product", {}).get("attributes", {}).get("usagetype", "")))
        price = _hourly(product)
        if usage is None or price is None:
            continue
        name = (
            f"{'arm' if usage['arm'] else 'x86'}{'_spot' if usage['spot'] else ''}_{'vcpu' if usage['vcpu'] else 'gb'}"
        )
        currency, found[name] = price
        currencies.add(currency)
        dates.add(str(product.get("publicationDate", ""))[:10])
    if len(currencies) != 1 or not found.keys() >= {"x86_vcpu", "x86_gb", "arm_vcpu", "arm_gb"}:
        return None
    return HourlyRates(region=region, source=SOURCE, date=max(dates), currency=currencies.pop(), **found)


def _hourly(product: Mapping[str, Any]) -> tuple[str, Decimal] | None:
    """Return currency and price of an hour on demand, that of the first hour where there are tiers."""
    terms = product.get("terms", {}).get("OnDemand", {}).values()
    dimensions = [item for term in terms for item in term.get("priceDimensions", {}).values()]
    first = next((item for item in dimensions if item.get("beginRange", "0") == "0"), None)
    prices = dict(first.get("pricePerUnit", {})) if first else {}
    for currency, text in prices.items():
        try:
            amount = Decimal(text)
        except InvalidOperation:
            continue
        if amount > 0:
            return currency, amount
    return None
