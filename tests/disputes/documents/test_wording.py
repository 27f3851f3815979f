"""How papers say dates, sums and names; and which data they refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from core.refusals import Invalid
from disputes.documents import rules, wording
from disputes.documents.models import Kind
from tests.disputes.documents.paper_data import TODAY, data, signature


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角整"),
        (105, "壹元零伍分"),
        (12345, "壹佰贰拾叁元肆角伍分"),
        (100_00, "壹佰元整"),
        (1001_00, "壹仟零壹元整"),
        (1010_00, "壹仟零壹拾元整"),
        (10_000_00, "壹万元整"),
        (10_001_00, "壹万零壹元整"),
        (10_100_00, "壹万零壹佰元整"),
        (101_000_00, "壹拾万壹仟元整"),
        (100_000_000_00, "壹亿元整"),
        (100_000_001_00, "壹亿零壹元整"),
        (100_010_000_00, "壹亿零壹万元整"),
        (1_000_500_020_30, "壹拾亿零伍拾万零贰拾元叁角整"),
        (299_900, "贰仟玖佰玖拾玖元整"),
    ],
)
def test_a_sum_in_capital_numerals(fen: int, said: str) -> None:
    assert wording.capitals(fen) == said


def test_days_and_moments_are_those_of_china() -> None:
    assert wording.chinese_day(date(2026, 1, 2)) == "2026年1月2日"
    assert wording.chinese_moment(datetime(2026, 12, 31, 16, 5, tzinfo=UTC)) == "2027年1月1日0时05分"


@pytest.mark.parametrize(
    ("office", "self", "stem"),
    [
        ("鼓楼市场监督管理所", "我所", "鼓楼市监"),
        ("青屏市云溪区市场监督管理局", "我局", "云溪市监"),
        ("青屏市北渚县市场监督管理局", "我局", "北渚市监"),
        ("浙江省青屏市云溪区市场监督管理局", "我局", "云溪市监"),
        ("云溪区消费投诉处理中心", "我中心", "云溪市监"),
        ("云溪区消费纠纷人民调解委员会", "我会", "云溪人调"),
        ("青屏市装饰装修行业调解委员会", "我会", "装饰装修人调"),
        ("云溪区消费者权益保护委员会", "我会", "云溪消委"),
        ("Office", "我单位", "市监"),
    ],
)
def test_an_office_speaks_of_itself_and_heads_its_numbers(office: str, self: str, stem: str) -> None:
    assert (wording.own_name(office), wording.stem(office)) == (self, stem)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_value_that_a_paper_needs_is_asked_for(kind: Kind) -> None:
    with pytest.raises(Invalid) as refused:
        rules.words(kind, {})
    assert refused.value.code == "paper.data"
    assert set(refused.value.fields) == rules.FORMS[kind].required


@pytest.mark.parametrize(
    ("kind", "name", "given"),
    [
        (Kind.REFUSAL, "ground", 0),
        (Kind.REFUSAL, "ground", 8),
        (Kind.REFUSAL, "ground", True),
        (Kind.REFUSAL, "ground", "1"),
        (Kind.REFUSAL, "reasons", "长" * 40_001),
        (Kind.TERMINATION, "ground", 9),
        (Kind.TERMINATION, "ground", -1),
        (Kind.ACCEPTANCE, "received_on", "2026-09-15"),
        (Kind.ACCEPTANCE, "received_on", datetime(2026, 9, 15, tzinfo=UTC)),
        (Kind.ACCEPTANCE, "complainant", "甲" * 501),
        (Kind.ACCEPTANCE, "complainant", 7),
        (Kind.ACCEPTANCE, "matter", ["a"]),
        (Kind.IDENTITY_NOTICE, "due_on", 20260930),
        (Kind.MEDIATION_NOTICE, "planned_for", datetime(2026, 9, 23, 14, 30)),
        (Kind.MEDIATION_NOTICE, "planned_for", TODAY),
        (Kind.MEDIATION_NOTICE, "mode", "by_pigeon"),
        (Kind.MEDIATION_NOTICE, "mode", 1),
        (Kind.MEDIATION_STATEMENT, "amount_fen", -1),
        (Kind.MEDIATION_STATEMENT, "amount_fen", 29.9),
        (Kind.MEDIATION_STATEMENT, "amount_fen", 10**12),
        (Kind.MEDIATION_STATEMENT, "requests", "one"),
        (Kind.MEDIATION_STATEMENT, "requests", [{}]),
        (Kind.MEDIATION_STATEMENT, "requests", ["a"] * 201),
        (Kind.MEDIATION_STATEMENT, "signatures", ["signed"]),
        (Kind.MEDIATION_STATEMENT, "signatures", [signature("mediator", "陈和")]),
        (Kind.MEDIATION_STATEMENT, "signatures", [signature("complainant", "甲", at="yesterday")]),
        (Kind.MEDIATION_STATEMENT, "signatures", [signature("complainant", "甲", at="2026-09-18T10:05:00")]),
        (Kind.SETTLEMENT, "kind", "bribe"),
        (Kind.RECORD, "held_at", None),
    ],
)
def test_what_does_not_fit_is_refused_by_name(kind: Kind, name: str, given: Any) -> None:
    with pytest.raises(Invalid) as refused:
        rules.words(kind, data(**{name: given}))
    assert list(refused.value.fields) == [name]


def test_what_may_be_unknown_is_left_blank() -> None:
    bare = data(complainant_phone="", complainant_address=None, legal_representative="", requests=[], signatures=[])
    said = rules.words(Kind.MEDIATION_STATEMENT, bare)
    assert not {"complainant_phone", "complainant_address", "legal_representative", "requests", "signed"} & set(
        said
    )


def test_a_sum_of_nothing_is_not_printed() -> None:
    assert "amount" not in rules.words(Kind.SETTLEMENT, data(amount_fen=0))


def test_marks_that_turn_or_hide_text_are_left_out() -> None:
    said = rules.words(Kind.ACCEPTANCE, data(complainant="王\u202e满\u200b小\x00\x1b 甲\n乙\ufeff"))
    assert said["complainant"] == "王满小 甲 乙"
