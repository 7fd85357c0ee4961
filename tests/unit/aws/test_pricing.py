"""Products of AmazonECS as GetProducts answers them, each a JSON text (AWS Price List Query API reference)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from botocore.stub import Stubber

from migrate.adapters.aws.pricing import AwsPriceReader, rates
from migrate.core.cost.prices import HourlyRates
from migrate.errors import AccessError
from tests.fakes.prices import a_product
from tests.unit.aws.recordings import Recordings

FRANKFURT = "eu-central-1"
ASKED = {
    "ServiceCode": "AmazonECS",
    "Filters": [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": FRANKFURT}],
    "FormatVersion": "aws_v1",
}
ON_DEMAND = {
    "EUC1-Fargate-vCPU-Hours:perCPU": "0.0465600000",
    "EUC1-Fargate-GB-Hours": "0.0051100000",
    "EUC1-Fargate-ARM-vCPU-Hours:perCPU": "0.0372500000",
    "EUC1-Fargate-ARM-GB-Hours": "0.0040900000",
}
"""Made-up figures: what is tested is which of them goes where."""
OTHERS = {
    "EUC1-Fargate-Windows-vCPU-Hours:perCPU": "0.9",
    "EUC1-Fargate-EphemeralStorage-GB-Hours": "0.8",
    "EUC1-ECS-EC2-vCPU-Hours": "0.7",
    "EUC1-ECS-Anywhere-Instance-hours": "0.6",
    "EUC1-Fargate-GB-Hours-Plus": "0.5",
}


def products(**prices: str) -> list[dict[str, Any]]:
    return [a_product(usage, price) for usage, price in {**OTHERS, **ON_DEMAND, **prices}.items()]


@pytest.fixture
def reader(aws: Recordings) -> AwsPriceReader:
    return AwsPriceReader(aws.session)


def test_the_rates_of_a_region_are_read_with_their_date(aws: Recordings, reader: AwsPriceReader) -> None:
    listed = [json.dumps(item) for item in products()]
    aws.answer("pricing", "get_products", {"PriceList": listed[:5], "NextToken": "more"}, **ASKED)
    aws.answer("pricing", "get_products", {"PriceList": listed[5:]}, **ASKED, NextToken="more")
    assert reader.fargate_rates(FRANKFURT) == HourlyRates(
        region=FRANKFURT,
        x86_vcpu=Decimal("0.04656"),
        x86_gb=Decimal("0.00511"),
        arm_vcpu=Decimal("0.03725"),
        arm_gb=Decimal("0.00409"),
        source="AWS Price List",
        date="2026-11-21",
    )


def test_spot_is_taken_where_the_list_tells_it() -> None:
    found = rates(
        FRANKFURT,
        products(
            **{
                "EUC1-SpotUsage-Fargate-vCPU-Hours:perCPU": "0.014",
                "EUC1-SpotUsage-Fargate-GB-Hours": "0.0015",
                "EUC1-SpotUsage-Fargate-ARM-vCPU-Hours:perCPU": "0.011",
                "EUC1-SpotUsage-Fargate-ARM-GB-Hours": "0.0012",
            }
        ),
    )
    assert found is not None
    assert (found.x86_spot_vcpu, found.x86_spot_gb) == (Decimal("0.014"), Decimal("0.0015"))
    assert (found.arm_spot_vcpu, found.arm_spot_gb) == (Decimal("0.011"), Decimal("0.0012"))


def test_usage_types_without_a_prefix_are_known() -> None:
    found = rates("us-east-1", [a_product(name.partition("-")[2], price) for name, price in ON_DEMAND.items()])
    assert found is not None
    assert found.x86_vcpu == Decimal("0.04656")


@pytest.mark.parametrize("missing", ON_DEMAND)
def test_a_list_that_lacks_a_rate_tells_none(missing: str) -> None:
    assert rates(FRANKFURT, [a_product(usage, price) for usage, price in ON_DEMAND.items() if usage != missing]) is None


def test_what_costs_nothing_or_is_no_number_is_no_rate() -> None:
    assert rates(FRANKFURT, products(**{"EUC1-Fargate-GB-Hours": "0.0000000000"})) is None
    assert rates(FRANKFURT, products(**{"EUC1-Fargate-GB-Hours": "ask us"})) is None
    assert rates(FRANKFURT, [*products()[:-1], a_product("EUC1-Fargate-ARM-GB-Hours", "0.03", "CNY")]) is None
    assert rates(FRANKFURT, [{}, {"product": {}}]) is None


def test_a_refusal_is_told_with_the_permission_that_lacks(aws: Recordings, reader: AwsPriceReader) -> None:
    aws.refuse("pricing", "get_products", "AccessDeniedException", "not authorized to perform: pricing:GetProducts")
    with pytest.raises(AccessError, match="pricing:GetProducts"):
        reader.fargate_rates(FRANKFURT)


def test_an_endpoint_that_has_no_price_list_is_no_error(aws: Recordings, reader: AwsPriceReader) -> None:
    aws.refuse("pricing", "get_products", "UnknownOperationException")
    assert reader.fargate_rates(FRANKFURT) is None


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("ap-northeast-1", "ap-south-1"),
        ("eu-west-1", "eu-central-1"),
        ("us-east-1", "us-east-1"),
        ("sa-east-1", "us-east-1"),
    ],
)
def test_the_list_is_asked_where_it_is(aws: Recordings, region: str, endpoint: str) -> None:
    with Stubber(aws.session.pricing(endpoint)) as stub:
        stub.add_response("get_products", {"PriceList": []})
        assert AwsPriceReader(aws.session).fargate_rates(region) is None
        stub.assert_no_pending_responses()
