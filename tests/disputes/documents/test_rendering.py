"""A paper prints what it was given, letter for letter, and the same bytes for the same words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from disputes.documents import rendering, rules
from disputes.documents.models import Kind
from tests.disputes.documents.paper_data import NOW, data

#: Everything that typst would do something with, were it source.
HOSTILE = r'#import "layout.typ": * #panic() $x^2$ *b* _i_ `c` @ref <label> \ // /* */ #{1+1} #sys.inputs --- ~ \u{41} = 题'


def words(kind: Kind, **given: Any) -> dict[str, Any]:
    said = rules.words(kind, data(**given))
    return {**said, "number": rules.number(kind, said["office"], 2026, 12), "code": "7K3M-Q0ZT-14XD-W9HB"}


def text_of(pdf: bytes, tmp_path: Path) -> str:
    """The text of all pages without spaces and lines' ends, as a reader's machine extracts it."""
    tool = shutil.which("pdftotext")
    if tool is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    path = tmp_path / "paper.pdf"
    path.write_bytes(pdf)
    done = subprocess.run([tool, "-enc", "UTF-8", str(path), "-"], capture_output=True, check=True)
    return squeezed(done.stdout.decode())


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.IDENTITY_NOTICE, ["2026年9月30日前向我所提供", "居民身份证", "鼓楼前街1号"]),
        (Kind.ACCEPTANCE, ["我所于2026年9月15日收到你关于“手机第三天不能开机”", "我所决定受理", "0570-87112303"]),
        (
            Kind.REFUSAL,
            [
                "属以下第〔一〕项情形",
                "所反映的是诊疗行为。",
                "由云溪区卫生健康局负责处理",
                "第三十九条",
                "向人民法院提起诉讼",
            ],
        ),
        (Kind.MEDIATION_NOTICE, ["王小满、松果优品数码店", "现场调解", "2026年9月23日14时30分到鼓楼所调解室", "陈和", "回避申请"]),
        (Kind.TERMINATION, ["第〔一〕项情形", "第二十三条第一款", "所反映的是诊疗行为。", "通过民事诉讼、仲裁等"]),
        (Kind.MEDIATION_STATEMENT, ["李大发", "1.退还货款2999元", "贰仟玖佰玖拾玖元整", "2026年9月28日前", "10时05分在线签名"]),
        (Kind.AGREEMENT, ["三十日内共同向人民法院申请司法确认", "退还货款，投诉人退回手机。", "调解员（签名）：陈和"]),
        (Kind.RECORD, ["调解时间：2026年9月18日10时00分", "双方到场，达成一致。", "现场调解，鼓楼所调解室"]),
        (Kind.SETTLEMENT, ["和解方式：退货退款", "2,999.00元", "登记单位：鼓楼市场监督管理所"]),
    ],
)  # fmt: skip
def test_every_kind_prints_what_it_was_given(tmp_path: Path, kind: Kind, expected: list[str]) -> None:
    said = words(kind)
    text = text_of(rendering.render(kind, said, at=NOW).pdf, tmp_path)
    for piece in [
        said["title"],
        said["number"],
        "7K3M-Q0ZT-14XD-W9HB",
        "SHA-256",
        "2026年9月18日",
        "王小满",
        *expected,
    ]:
        assert squeezed(piece) in text


@pytest.mark.parametrize("kind", list(Kind))
def test_what_looks_like_source_prints_as_it_was_written(tmp_path: Path, kind: Kind) -> None:
    everywhere = dict.fromkeys(
        ("matter", "complainant", "respondent", "facts", "reasons", "terms", "place", "mediator", "result"), HOSTILE
    )
    text = text_of(rendering.render(kind, words(kind, requests=[HOSTILE], **everywhere), at=NOW).pdf, tmp_path)
    assert squeezed(HOSTILE) in text


def test_rare_characters_of_names_are_drawn(tmp_path: Path) -> None:
    name = "𠮷䶮㛃堃喆犇龘𫖯𬱖·阿卜杜热合曼"
    made = rendering.render(Kind.ACCEPTANCE, words(Kind.ACCEPTANCE, complainant=name), at=NOW)
    assert name in text_of(made.pdf, tmp_path)


def test_a_character_that_no_font_has_is_named_and_not_hidden(tmp_path: Path) -> None:
    made = rendering.render(Kind.ACCEPTANCE, words(Kind.ACCEPTANCE, complainant="王😀𪚥"), at=NOW)
    text = text_of(made.pdf, tmp_path)
    assert "王〔U+1F600〕" in text
    assert "〔U+2A6A5〕" in text or "𪚥" in text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_no_text_makes_a_paper_fail(typed: str) -> None:
    said = words(Kind.TERMINATION, reasons="理由：" + typed, complainant="甲" + typed)
    assert rendering.render(Kind.TERMINATION, said, at=NOW).pages >= 1


def test_the_same_words_make_the_same_bytes() -> None:
    said = words(Kind.REFUSAL)
    first = rendering.render(Kind.REFUSAL, said, at=NOW)
    rendering.use_fonts(())  # a new process reads its fonts again
    assert rendering.render(Kind.REFUSAL, dict(reversed(said.items())), at=NOW) == first
    assert rendering.render(Kind.REFUSAL, said, at=NOW + timedelta(seconds=1)).digest != first.digest


def test_a_paper_is_tagged_and_archival() -> None:
    pdf = rendering.render(Kind.ACCEPTANCE, words(Kind.ACCEPTANCE), at=NOW).pdf
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in pdf
    assert b"/MarkInfo" in pdf and b"/Lang(zh-CN)" in pdf


def test_its_moment_of_creation_is_the_one_given() -> None:
    at = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert b"2031-02-03T04:05:06" in rendering.render(Kind.ACCEPTANCE, words(Kind.ACCEPTANCE), at=at).pdf


def test_long_texts_run_over_as_many_pages_as_they_need(tmp_path: Path) -> None:
    facts = "\n".join(f"第{line}段：经营者承诺七日内退款，至今没有退。" * 4 for line in range(30))
    requests = [f"第{number}项请求" for number in range(1, 41)]
    made = rendering.render(
        Kind.MEDIATION_STATEMENT, words(Kind.MEDIATION_STATEMENT, facts=facts, requests=requests), at=NOW
    )
    text = text_of(made.pdf, tmp_path)
    assert made.pages > 5
    assert f"第{made.pages}页，共{made.pages}页" in text
    assert all(squeezed(f"{number}. {request}") in text for number, request in enumerate(requests, start=1))


def test_a_word_without_end_stays_on_the_page(tmp_path: Path) -> None:
    link = "https://shop.example/" + "a1" * 120
    made = rendering.render(Kind.ACCEPTANCE, words(Kind.ACCEPTANCE, matter=link), at=NOW)
    assert link in text_of(made.pdf, tmp_path)
    boxes = subprocess.run(
        ["pdftotext", "-bbox", str(tmp_path / "paper.pdf"), "-"], capture_output=True, check=True
    )
    assert max(float(right) for right in re.findall(r'xMax="([\d.]+)"', boxes.stdout.decode())) < 530


def test_the_pages_are_counted_also_of_a_tall_tree() -> None:
    made = rendering.render(Kind.TERMINATION, words(Kind.TERMINATION, reasons="理由。\n" * 1500), at=NOW)
    assert made.pages == made.pdf.count(b"/Type/Page/")
    assert made.pages > 50


def test_a_seal_is_never_alone_on_a_page(tmp_path: Path) -> None:
    """Whatever the length of the text, the last page has words of the paper above the seal."""
    for lines in range(1, 24):
        made = rendering.render(Kind.TERMINATION, words(Kind.TERMINATION, reasons="理由。\n" * lines), at=NOW)
        path = tmp_path / "last.pdf"
        path.write_bytes(made.pdf)
        if shutil.which("pdftotext") is None:
            pytest.skip("pdftotext (poppler-utils) is not installed")
        last = subprocess.run(
            ["pdftotext", "-f", str(made.pages), str(path), "-"], capture_output=True, check=True
        ).stdout.decode()
        assert "特此告知" in last and "印章" in last


def test_a_paper_is_made_while_somebody_waits() -> None:
    """Once fonts are read a new paper takes some 10 ms of a processor; ten times that is a fault."""
    rendering.render(Kind.REFUSAL, words(Kind.REFUSAL), at=NOW)
    taken = []
    for number in range(5):
        said = words(Kind.REFUSAL, complainant=f"王小满{number}", reasons=f"第{number}个理由")
        start = time.thread_time()
        rendering.render(Kind.REFUSAL, said, at=NOW)
        taken.append(time.thread_time() - start)
    assert sorted(taken)[2] < 0.2


def test_a_font_of_the_installation_comes_first(tmp_path: Path) -> None:
    """Sans instead of serif, by naming its folder."""
    import pylopdf_fonts_zh_cn

    shutil.copy(pylopdf_fonts_zh_cn.sans_path(), tmp_path / "Ours.otf")
    said = words(Kind.ACCEPTANCE)
    usual = rendering.render(Kind.ACCEPTANCE, said, at=NOW).pdf
    try:
        rendering.use_fonts([tmp_path])
        ours = rendering.render(Kind.ACCEPTANCE, said, at=NOW).pdf
    finally:
        rendering.use_fonts(())
    assert b"NotoSerifSC" in usual and b"NotoSansSC" not in usual
    assert b"NotoSansSC" in ours and b"NotoSerifSC" not in ours


def test_a_fork_of_a_process_that_made_papers_is_told_instead_of_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    said = words(Kind.ACCEPTANCE)
    expected = rendering.render(Kind.ACCEPTANCE, said, at=NOW)
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        with pytest.raises(RuntimeError, match="forked"):
            rendering.render(Kind.ACCEPTANCE, said, at=NOW)
    assert rendering.render(Kind.ACCEPTANCE, said, at=NOW) == expected


def test_the_template_of_a_paper_is_named_by_its_content() -> None:
    named = {rendering.template_digest(kind) for kind in Kind}
    assert len(named) == len(Kind)
    assert all(len(name) <= 100 and re.search(r"@[0-9a-f]{32} typst \d", name) for name in named)
