"""Every single edit is told in exactly the expected sentence; nothing else is told, and nothing is missed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from random import Random
from typing import Any

import pytest
from lxml import etree

from disputes.releases.differences import differences
from disputes.timelimits.limits import LimitsError, load_limits
from engine import diagram
from engine.diagram import Kind
from tests.disputes.district import release
from tests.disputes.releases.small import FILES

B, D, F = "bpmn/desk.bpmn", "dmn/exit.dmn", "forms/decide.form"
L, S, E = "time_limits.yaml", "scenarios/desk.scenarios.yaml", "bpmn/desk.en.json"

#: File, what is replaced by what, and the sentences.
EDITS: list[tuple[str, list[tuple[str, str]], list[str]]] = [
    (B, [('<bpmn:timeDuration>P7D<', '<bpmn:timeDuration>P10D<')], ['“等待商家答复”的期限由 7 天改为 10 天。']),
    (B, [('= warning("C01", received_at, 1)', '= warning("C01", received_at, 2)')], ['“作出决定”的提醒“第一次预警”由期限 C01 的第 1 级预警（自 received_at 起）改为期限 C01 的第 2 级预警（自 received_at 起）。']),
    (B, [('<bpmn:timeDuration>PT24H</bpmn:timeDuration>', '<bpmn:timeCycle>R/P1D</bpmn:timeCycle>')], ['“次日”的时间由 24 小时改为每 1 天，不限次数。']),
    (B, [('dueDate="= due(&#34;C01&#34;, received_at)"', 'dueDate="= due(&#34;C03&#34;, accepted_at)"')], ['“作出决定”的办理期限由期限 C01（自 received_at 起）改为期限 C03（自 accepted_at 起）。']),
    (B, [('id="decide" name="作出决定"', 'id="decide" name="决定是否受理"')], ['用户任务“作出决定”改名为“决定是否受理”。']),
    (B, [('name="受理台"', 'name="受理"')], ['“受理”的名称由“受理台”改为“受理”。']),
    (B, [('<bpmn:documentation>办法 第十五条', '<bpmn:documentation>办法 第十六条')], ['“受理台”的说明由“办法 第十五条”改为“办法 第十六条”。']),
    (B, [('逐条核对。办法 第十六条', '逐条核对。办法 第十七条')], ['“作出决定”的说明由“逐条核对。办法 第十六条”改为“逐条核对。办法 第十七条”。']),
    (B, [('candidateGroups="officer"', 'candidateGroups="supervisor"')], ['“作出决定”的办理角色由经办人员改为督办人员。']),
    (B, [('formId="decide"', 'formId="decide-2"')], ['“作出决定”的表单由“decide”改为“decide-2”。']),
    (B, [('type="notices.remind"', 'type="notices.tell"')], ['“提醒”的服务由“notices.remind”改为“notices.tell”。']),
    (B, [('key="to" value="officer"', 'key="to" value="head"')], ['“提醒”的任务头 to 由“officer”改为“head”。']),
    (B, [('decisionId="exit"', 'decisionId="exit_2"')], ['“选出口”的所用决策由“exit”改为“exit_2”。']),
    (B, [('resultVariable="way"', 'resultVariable="exit"')], ['“选出口”的结果变量由“way”改为“exit”。']),
    (B, [('processId="mediation"', 'processId="mediation_2"')], ['“调解”的调用的流程由“mediation”改为“mediation_2”。']),
    (B, [('propagateAllChildVariables="false"', 'propagateAllChildVariables="true"')], ['“调解”的带回全部变量由否改为是。']),
    (B, [('<zeebe:output source="= decision" target="decision" />', '<zeebe:output source="= upper case(decision)" target="decision" />')], ['“作出决定”的输出 decision 由“decision”改为“upper case(decision)”。']),
    (B, [('<zeebe:input source="= grounds" target="found" />', '')], ['“作出决定”删去输入 found。']),
    (B, [('name="article" value="办法15"', 'name="article" value="办法16"')], ['“作出决定”的属性 article 由“办法15”改为“办法16”。']),
    (B, [('cancelActivity="false" attachedToRef="decide"', 'attachedToRef="decide"')], ['“第一次预警”改为中断“作出决定”。']),
    (B, [('id="lapsed" attachedToRef="await_shop"', 'id="lapsed" cancelActivity="false" attachedToRef="await_shop"')], ['“lapsed”不再中断“等待商家答复”，只是另起一路。']),
    (B, [('<bpmn:boundaryEvent id="withdrawn" name="撤回" attachedToRef="await_shop">', '<bpmn:boundaryEvent id="withdrawn" name="撤回" attachedToRef="mediate">')], ['“撤回”由附在“等待商家答复”上改为附在“调解”上。']),
    (B, [('messageRef="m_go"', 'messageRef="m_other"')], ['“撤回”的消息名由“case.withdrawn”改为“case.returned”。', '“撤回”的消息的关联键由“case_id”改为“case_no”。']),
    (B, [('<bpmn:messageEventDefinition messageRef="m_go" />', '<bpmn:errorEventDefinition errorRef="e_one" />')], ['“撤回”的触发方式由消息改为错误。']),
    (B, [('= decision = "accept"', '= decision = "accept" and amount > 100')], ['“受理吗”到“等待商家答复”的条件由“decision = "accept"”改为“decision = "accept" and amount > 100”。']),
    (B, [('name="受理" sourceRef="which"', 'name="予以受理" sourceRef="which"')], ['“受理吗”到“等待商家答复”的文字由“受理”改为“予以受理”。']),
    (B, [('default="f5"', 'default="f6"')], ['“受理吗”的默认去向由“不予受理”改为“调解”。']),
    (B, [('sourceRef="rule" targetRef="mediate"', 'sourceRef="rule" targetRef="sub"')], ['“选出口”新增一路通往“归档”。', '“选出口”不再通往“调解”。']),
    (B, [('id="f8" sourceRef', 'id="f88" sourceRef')], []),
    (B, [('<bpmn:endEvent id="refused" name="不予受理" />', '<bpmn:endEvent id="refused" name="不予受理" /><bpmn:userTask id="review" name="法制复核"><bpmn:extensionElements><zeebe:assignmentDefinition candidateGroups="head" /></bpmn:extensionElements></bpmn:userTask>')], ['新增用户任务“法制复核”，由负责人办理。']),
    (B, [('<bpmn:endEvent id="closed" name="结案" />', '<bpmn:endEvent id="closed" name="结案" /><bpmn:sequenceFlow id="f99" sourceRef="rule" targetRef="closed"><bpmn:conditionExpression>= amount = 0</bpmn:conditionExpression></bpmn:sequenceFlow>')], ['“选出口”新增一路通往“结案”，条件是“amount = 0”。']),
    (B, [('<bpmn:serviceTask id="remind" name="提醒">', '<bpmn:sendTask id="remind" name="提醒">'), ('</bpmn:serviceTask>', '</bpmn:sendTask>')], ['“提醒”由服务任务改为发送任务。']),
    (B, [('isSequential="false"', 'isSequential="true"')], ['“等待商家答复”各项改为依次办理。']),
    (B, [('inputCollection="= parties"', 'inputCollection="= parties[1]"')], ['“等待商家答复”的输入集合由“parties”改为“parties[1]”。']),
    (B, [('<bpmn:flowNodeRef>await_shop</bpmn:flowNodeRef></bpmn:lane>\n      <bpmn:lane id="l2" name="督办人">', '</bpmn:lane>\n      <bpmn:lane id="l2" name="督办人"><bpmn:flowNodeRef>await_shop</bpmn:flowNodeRef>')], ['“等待商家答复”的泳道由“承办人”改为“督办人”。']),
    (B, [('isExecutable="true"', 'isExecutable="false"')], ['“受理台”的可执行由是改为否。']),
    (D, [('&lt; 1000', '&lt; 2000')], ['“选出口（D9）”第 1 条规则的“金额”由“< 1000”改为“< 2000”。']),
    (D, [('"mediated"', '"settled"')], ['“选出口（D9）”第 1 条规则的“出口”由“"mediated"”改为“"settled"”。']),
    (D, [('<rule id="two"><inputEntry id="c4"><text>&gt;= 1000</text></inputEntry><inputEntry id="c5"><text>-</text></inputEntry><outputEntry id="c6"><text>"court_confirmed"</text></outputEntry></rule>', '')], ['“选出口（D9）”删去原第 2 条规则：金额 >= 1000；出口 "court_confirmed"。']),
    (D, [('</decisionTable>', '<rule id="three"><inputEntry id="n1"><text>null</text></inputEntry><inputEntry id="n2"><text>"web"</text></inputEntry><outputEntry id="n3"><text>"refused"</text></outputEntry></rule></decisionTable>')], ['“选出口（D9）”新增第 3 条规则：金额 null；渠道 "web"；出口 "refused"。']),
    (D, [('hitPolicy="FIRST"', 'hitPolicy="COLLECT"')], ['“选出口（D9）”的命中策略由“FIRST”改为“COLLECT”。']),
    (D, [('<text>channel</text>', '<text>upper case(channel)</text>')], ['“选出口（D9）”输入列“渠道”的表达式由“channel”改为“upper case(channel)”。']),
    (D, [('"store","web"', '"store","web","app"')], ['“选出口（D9）”输入列“渠道”的可取的值由“"store","web"”改为“"store","web","app"”。']),
    (D, [('amount * 0.01', 'amount * 0.02')], ['“费用”的表达式由“amount * 0.01”改为“amount * 0.02”。']),
    (D, [('name="选出口（D9）"', 'name="选出口"')], ['“选出口”的名称由“选出口（D9）”改为“选出口”。']),
    (D, [('办法 第二十三条', '办法 第二十四条')], ['“选出口（D9）”的说明由“办法 第二十三条”改为“办法 第二十四条”。']),
    (D, [('<description>小额</description>', '<description>小额争议</description>')], ['“选出口（D9）”第 1 条规则的“说明”由“小额”改为“小额争议”。']),
    (D, [('<informationRequirement id="r1"><requiredInput href="#facts" /></informationRequirement>', '')], ['“选出口（D9）”不再依赖“案件事实”。']),
    (D, [('<output id="o" name="way" label="出口" typeRef="string" />', '<output id="o" name="way" label="出口" typeRef="number" />')], ['“选出口（D9）”输出列“出口”的类型由“string”改为“number”。']),
    (F, [('"required": true', '"required": false')], ['表单“decide”的“决定”改为可以不填。']),
    (F, [('{"label": "受理", "value": "accept"}, ', '')], ['表单“decide”的“决定”删去选项“受理”。']),
    (F, [('"label": "不予受理"', '"label": "不受理"')], ['表单“decide”的“决定”的选项“不予受理”改为“不受理”。']),
    (F, [('"type": "textarea"', '"type": "textfield"')], ['表单“decide”的“理由”的类型由“textarea”改为“textfield”。']),
    (F, [('"label": "理由"', '"label": "说明理由"')], ['表单“decide”的“说明理由”的标题由“理由”改为“说明理由”。']),
    (F, [('"minLength": 5', '"minLength": 10')], ['表单“decide”的“理由”的最少字数由 5 改为 10。']),
    (F, [('=decision != \\"refuse\\"', '=decision = \\"accept\\"')], ['表单“decide”的“理由”的隐藏条件由“decision != "refuse"”改为“decision = "accept"”。']),
    (F, [(', "components": [{"type": "textfield", "id": "note", "key": "note", "label": "备注"}]', ', "components": []')], ['表单“decide”删去字段“备注”。']),
    (F, [('"# 决定"', '"# 作出决定"')], ['表单“decide”的“作出决定”的文字由“# 决定”改为“# 作出决定”。']),
    (F, [('{"type": "text", "id": "intro"', '{"type": "date", "id": "on", "key": "on", "label": "日期"}, {"type": "text", "id": "intro"')], ['表单“decide”新增字段“日期”（date）。']),
    (L, [('amount: 7\n', 'amount: 10\n')], ['期限 C01“受理决定”由 7 个工作日改为 10 个工作日。']),
    (L, [('unit: working day', 'unit: day')], ['期限 C01“受理决定”由 7 个工作日改为 7 天。']),
    (L, [('article: 办法15', 'article: 办法16')], ['期限 C01“受理决定”的依据由“办法15”改为“办法16”。']),
    (L, [('amount: 45, unit: day', 'amount: 30, unit: day')], ['期限 C03“调解期限”（CN-ZJ，2026-01-01 起）由 45 天改为 30 天。']),
    (L, [('      - { region: CN-ZJ, holds_from: 2026-01-01, amount: 45, unit: day }\n', '')], ['期限 C03“调解期限”删去一版（CN-ZJ，2026-01-01 起）。']),
    (L, [('holds_from: 2026-04-15', 'holds_from: 2026-05-01')], ['期限 C01“受理决定”的施行日期由“2026-04-15”改为“2026-05-01”。']),
    (L, [('region: CN\n', 'region: CN-ZJ\n')], ['期限 C01“受理决定”的地区由“CN”改为“CN-ZJ”。']),
    (L, [('warn_after: [5, 6]', 'warn_after: [4, 6]')], ['期限 C01“受理决定”的预警由[5, 6]改为[4, 6]。']),
    (S, [('name: 撤回', 'name: 商家撤回')], ['删去场景“撤回”。', '新增场景“商家撤回”。']),
    (S, [('2026-09-30', '2026-10-01')], ['场景“到期不答”改了。']),
    (E, [('"Decide"', '"Make the decision"')], ['“desk”中 decide 的英文由“Decide”改为“Make the decision”。']),
]  # fmt: skip


def edited(path: str, swaps: list[tuple[str, str]]) -> dict[str, bytes]:
    text = FILES[path].decode()
    for before, after in swaps:
        assert before in text, before
        text = text.replace(before, after, 1)
    return {**FILES, path: text.encode()}


@pytest.mark.parametrize(("path", "swaps", "sentences"), EDITS, ids=range(len(EDITS)))
def test_an_edit_is_told_in_its_sentence(path: str, swaps: list[tuple[str, str]], sentences: list[str]) -> None:
    after = edited(path, swaps)
    found = differences(FILES, after)
    assert [difference.zh for difference in found] == sentences
    for difference in found:
        assert difference.en.endswith(".") and difference.zh.endswith("。")
        assert json.dumps(difference.json())
        assert difference.file == path
    # The way back is as long.
    assert len(differences(after, FILES)) == len(found)


def test_there_are_enough_edits() -> None:
    assert len(EDITS) >= 60


def test_english_sentences_read_as_people_write_them() -> None:
    def said(path: str, before: str, after: str) -> list[str]:
        return [d.en for d in differences(FILES, edited(path, [(before, after)]))]

    assert said(B, ">P7D<", ">P10D<") == ['The time limit of "Wait for the shop" changed from 7 days to 10 days.']
    assert said(B, 'candidateGroups="officer"', 'candidateGroups="head"') == [
        'The role of "Decide" changed from officer to head.'
    ]
    assert said(L, "amount: 7\n", "amount: 10\n") == [
        'The limit C01 "Decision on acceptance" changed from 7 working days to 10 working days.'
    ]
    assert said(F, '"required": true', '"required": false') == ['"决定" in the form "decide" is optional now.']


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (B, 'x="100" y="80"', 'x="300" y="10"'),
        (B, '<bpmn:sequenceFlow id="f8"', '<bpmn:sequenceFlow id="f88"'),
        (B, 'name="提醒">', 'name="提醒" >\n\n  '),
        (D, 'biodi:width="120"', 'biodi:width="300"'),
        (D, 'id="c1"', 'id="c1b"'),
        (F, '"columns": 8', '"columns": 16'),
        (F, '"schemaVersion": 19', '"schemaVersion": 20'),
        (L, "limits:", "# 说明\nlimits:"),
        (S, "- name: 撤回", "- name:   撤回"),
    ],
)
def test_layout_and_spelling_are_no_difference(path: str, before: str, after: str) -> None:
    assert differences(FILES, edited(path, [(before, after)])) == []


def test_files_that_come_and_go() -> None:
    for path, zh in (
        (B, "新增流程“受理台”。"),
        (D, "新增决策文件 exit.dmn。"),
        (F, "新增表单“decide”。"),
        (L, "新增期限表。"),
    ):
        without = {k: v for k, v in FILES.items() if k != path}
        assert zh in [d.zh for d in differences(without, FILES)]
        assert len(differences(FILES, without)) == len(differences(without, FILES)) == 1


def test_the_order_of_conditions_counts_where_the_first_true_one_wins() -> None:
    text = FILES[B].decode()
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if 'id="f4"' in line)
    last = next(n for n, line in enumerate(lines) if 'id="f6"' in line)
    lines[first], lines[last] = lines[last], lines[first]
    found = differences(FILES, {**FILES, B: "\n".join(lines).encode()})
    assert [d.zh for d in found] == ["“受理吗”的条件的先后由“等待商家答复、调解”改为“调解、等待商家答复”。"]


def test_rules_are_found_again_by_what_they_say() -> None:
    text = FILES[D].decode()
    renamed = text.replace('<rule id="one">', '<rule id="uno">').replace('<rule id="two">', '<rule id="due">')
    assert differences(FILES, {**FILES, D: renamed.encode()}) == []
    changed = renamed.replace("&lt; 1000", "&lt; 900")
    assert [d.what for d in differences(FILES, {**FILES, D: changed.encode()})] == ["rule"]
    start, middle, end = (
        text.index('<rule id="one">'),
        text.index('<rule id="two">'),
        text.index("</decisionTable>"),
    )
    swapped = text[:start] + text[middle:end] + text[start:middle] + text[end:]
    assert [d.what for d in differences(FILES, {**FILES, D: swapped.encode()})] == ["rule_order"]


def test_a_release_does_not_differ_from_itself() -> None:
    assert differences(release(), release()) == []
    assert differences(FILES, FILES) == []


# No edit is missed: whatever is done to our own files, something is told exactly when they mean something else.


def meaning(path: str, content: bytes) -> Any:
    """What a file says, told apart from how ``differences`` reads it."""
    if path.endswith(".bpmn"):
        processes = diagram.read(content, path).processes
        return sorted((_process(process) for process in processes), key=repr) or content
    if path.endswith(".dmn"):
        return _table(content)
    if path.endswith(".form"):
        return _said(json.loads(content))
    try:
        limits = load_limits(content)
    except LimitsError:
        return None
    return {id: sorted(map(repr, map(asdict, editions))) for id, editions in limits.editions.items()}


def _process(process: diagram.Process) -> Any:
    elements = []
    for element in process.elements.values():
        plain = asdict(element)
        for left in ("file", "line", "incoming", "outgoing", "default"):
            del plain[left]
        flow = process.flows.get(element.default or "")
        order = [
            (process.flows[f].target, process.flows[f].condition)
            for f in element.outgoing
            if element.kind is Kind.EXCLUSIVE and f != element.default
        ]
        lane = process.lanes.get(element.id, "")
        elements.append((element.id, repr(plain), flow.target if flow else None, order, lane))
    flows = sorted(repr((f.source, f.target, f.name, f.condition)) for f in process.flows.values())
    head = (
        process.id,
        process.name,
        process.executable,
        process.documentation,
        repr(sorted(process.properties.items())),
    )
    return head, sorted(elements, key=repr), flows


def _table(content: bytes) -> Any:
    try:
        root = etree.fromstring(content)
    except etree.XMLSyntaxError:
        return content

    def said(node: etree._Element, top: bool) -> Any:
        if not isinstance(node.tag, str):
            return None
        attributes = {k: v for k, v in node.attrib.items() if not k.startswith("{") and (top or k != "id")}
        if node is root:
            attributes.pop("id", None)
        inside = [said(child, node is root) for child in node if "DMNDI" not in str(child.tag)]
        if node is root:
            inside.sort(key=repr)
        return node.tag.rpartition("}")[2], attributes, (node.text or "").strip(), inside

    return said(root, False)


def _said(value: Any, top: bool = True) -> Any:
    if isinstance(value, dict):
        left = {"layout"} | ({"schemaVersion", "exporter", "executionPlatform"} if top else set())
        kept = {k: _said(v, False) for k, v in value.items() if k not in left}
        if "id" not in kept and "key" in kept:
            kept["id"] = kept["key"]  # as form-js takes it
        return {
            k: v
            for k, v in kept.items()
            if v not in (None, False, "", {}) or k in ("components", "values", "value")
        }
    return [_said(entry, False) for entry in value] if isinstance(value, list) else value


def mutations(random: Random, path: str, content: bytes) -> Iterator[bytes]:
    if path.endswith((".bpmn", ".dmn")):
        root = etree.fromstring(content)
        node = random.choice([n for n in root.iter() if isinstance(n.tag, str) and n is not root])
        kind = random.choice(("attribute", "attribute", "text", "remove", "swap"))
        if kind == "attribute" and node.attrib:
            key = random.choice(sorted(node.attrib))
            node.set(key, random.choice(("true", "false", node.get(key, "") + "x", "P3D", "officer")))
        elif kind == "text" and (node.text or "").strip():
            node.text = (node.text or "") + random.choice(("x", " ", "1"))
        elif kind == "remove" and node.getparent() is not None:
            node.getparent().remove(node)
        elif kind == "swap" and node.getnext() is not None:
            node.addprevious(node.getnext())
        yield etree.tostring(root)
    elif path.endswith(".form"):
        form = json.loads(content)
        places = [form]
        for place in places:
            places += [v for v in place.values() if isinstance(v, dict)]
            places += [e for v in place.values() if isinstance(v, list) for e in v if isinstance(e, dict)]
        place = random.choice(places)
        if not place:
            return
        key = random.choice(sorted(place))
        if random.random() < 0.3:
            del place[key]
        elif isinstance(place[key], bool):
            place[key] = not place[key]
        elif isinstance(place[key], str):
            place[key] += "x"
        elif isinstance(place[key], int):
            place[key] += 1
        elif isinstance(place[key], list) and len(place[key]) > 1:
            random.shuffle(place[key])
        yield json.dumps(form, ensure_ascii=False).encode()
    else:
        lines = content.decode().splitlines()
        number = random.choice(
            [n for n, line in enumerate(lines) if ":" in line and not line.strip().startswith("#")]
        )
        key, _, value = lines[number].partition(": ")
        if value.strip().isdigit():
            lines[number] = f"{key}: {int(value) + 1}"
        else:
            lines[number] += "x"
        yield "\n".join(lines).encode()


def check_mutations(seed: int, count: int) -> tuple[int, int]:
    """Counts the mutations that mean something else, and those that do not."""
    random = Random(seed)
    files: Mapping[str, bytes] = {
        **{p: c for p, c in release().items() if not p.endswith(".en.json")},
        B: FILES[B],
        D: FILES[D],
        F: FILES[F],
    }
    wanted = [p for p in files if p.endswith((".bpmn", ".dmn", ".form")) or p == L]
    other = same = 0
    while other + same < count:
        path = random.choice(wanted)
        for mutated in mutations(random, path, files[path]):
            found = differences({path: files[path]}, {path: mutated})
            differs = meaning(path, files[path]) != meaning(path, mutated)
            assert bool(found) == differs, (seed, path, [d.zh for d in found][:3])
            other, same = other + differs, same + (not differs)
    return other, same


def test_no_random_edit_is_missed_and_none_is_invented() -> None:
    other, same = check_mutations(1, 150)
    assert other > 50 and same > 10
