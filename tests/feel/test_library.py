"""The built-in functions, by the examples of the standard and at their edges."""

import pytest

import feel


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # conversions
        ('number("1 000.5", " ", ".")', 1000.5),
        ('number("1.000,5", ".", ",")', 1000.5),
        ('number("1,000", ",", ",")', None),
        ('number("abc")', None),
        ("string(1e10)", "10000000000"),
        ("string(0.000001)", "0.000001"),
        ("string(null)", None),
        ('string({a: "x", "b c": [1..2]})', '{a: "x", b c: [1..2]}'),
        ("date(2026, 2, 29)", None),
        ('date and time(date("2026-11-22"), time("10:00:00+08:00"))', "2026-11-22T10:00:00+08:00"),
        ('time(10, 30, 15.5, duration("PT8H"))', "10:30:15.5+08:00"),
        ('duration("P1Y")', "P1Y"),
        # strings
        ('substring("foobar", 3)', "obar"),
        ('substring("foobar", -2, 1)', "a"),
        ('substring("foobar", 0)', None),
        (r'substring("\U01F40Eab", 2)', "ab"),
        (r'string length("\U01F40Eab")', 3),
        (r'string length("\uD83D\uDC0E")', 1),
        ('upper case("aBc4")', "ABC4"),
        ('substring before("foobar", "bar")', "foo"),
        ('substring after("foobar", "xyz")', ""),
        ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', "[1=ab][2=]cd"),
        ('replace("abracadabra", ".*?", "$1")', None),
        ('replace("a.b", ".", "-", "q")', "a-b"),
        ('matches("foobar", "^fo*bar$")', True),
        ('matches("helloworld", "hello world", "x")', True),
        (r'matches("hello world", "hello\\ sworld", "x")', True),
        ('matches("hello world", "hello[ ]world", "x")', True),
        ('matches("ABC", "abc", "i")', True),
        (r'matches("a\nb", "a.b")', False),
        (r'matches("a\nb", "a.b", "s")', True),
        (r'matches("a\nb", "^b$", "m")', True),
        (r'matches("a\n", "a$")', False),
        (r'matches("云溪区12号", "^\\p{Lo}+\\d+\\p{L}$")', True),
        ('matches("e", "[a-z-[aeiou]]")', False),
        ('matches("f", "[a-z-[aeiou]]")', True),
        (r'matches("aba", "(a)b\\1")', True),
        (r'matches("a", "\\1(a)")', None),
        ('matches("a", "(?=a)")', None),
        ('matches("a", "[")', None),
        ('matches("a", "a", "y")', None),
        ('split("a;b;;c", ";")', ["a", "b", "", "c"]),
        ('string join(["a", null, "c"], ", ", "[", "]")', "[a, c]"),
        ('string join([], ",")', ""),
        ('contains("和解", "解")', True),
        # lists
        ("list contains([1, null], null)", True),
        ("count([])", 0),
        ("min(3, 1, 2)", 1),
        ('max(["b", "a"])', "b"),
        ("max([])", None),
        ("sum([1, 2, null])", None),
        ("sum([])", None),
        ("mean([1, 2, 6])", 3),
        ("median([6, 1, 2, 3])", 2.5),
        ("stddev([2, 4, 7, 5])", "2.081665999466132735282297706979931"),
        ("mode([6, 1, 9, 6, 1])", [1, 6]),
        ("product([2, 3, 4])", 24),
        ("sublist([1, 2, 3], -2, 1)", [2]),
        ("sublist([1, 2, 3], 4)", None),
        ("append([1], 2, null)", [1, 2, None]),
        ("concatenate([1], [2], [3])", [1, 2, 3]),
        ("insert before([1, 3], 2, 2)", [1, 2, 3]),
        ("remove([1, 2, 3], -1)", [1, 2]),
        ("list replace([2, 4, 7], 3, 6)", [2, 4, 6]),
        ("list replace([2, 4, 7], function(item, newItem) item < newItem, 5)", [5, 5, 7]),
        ("reverse([1, 2])", [2, 1]),
        ("index of([1, 2, 1], 1)", [1, 3]),
        ("union([1, 2], [2, 3])", [1, 2, 3]),
        ("distinct values([1, [2], [2], 1.0])", [1, [2]]),
        ("flatten([[1, [2]], 3])", [1, 2, 3]),
        ("sort([3, 1, 2])", [1, 2, 3]),
        ("sort([3, 1, 2], function(a, b) a > b)", [3, 2, 1]),
        ('sort([1, "a"])', None),
        # numbers
        ("decimal(2.5, 0)", 2),
        ("decimal(1/3, 2)", 0.33),
        ("floor(-1.56, 1)", -1.6),
        ("ceiling(-1.5)", -1),
        ("round up(-1.126, 2)", -1.13),
        ("round half down(2.5, 0)", 2),
        ("round half up(-2.5, 0)", -3),
        ("abs(-5)", 5),
        ('abs(duration("-P1D"))', "P1D"),
        ("modulo(-12, 5)", 3),
        ("modulo(10.1, -4.5)", -3.4),
        ("modulo(1, 0)", None),
        ("sqrt(16)", 4),
        ("log(0)", None),
        ("odd(5)", True),
        ("even(5)", False),
        ("odd(0.5)", None),
        # ranges
        ("before([1..5], 6)", True),
        ("before([1..5), [5..6])", True),
        ("after(5, [1..5))", True),
        ("meets([1..5], [5..10])", True),
        ("met by([5..10], [1..5))", False),
        ("overlaps([1..5], [5..8])", True),
        ("overlaps before([1..5], [3..8])", True),
        ("overlaps after([3..8], [1..5])", True),
        ("finishes(5, [1..5])", True),
        ("finished by([1..5], 5)", True),
        ("includes([1..10], [2..3])", True),
        ("during(5, [1..5))", False),
        ("starts(1, [1..5])", True),
        ("started by([1..5], 1)", True),
        ("coincides([1..5], [1..5])", True),
        ("before(1, null)", None),
        ('range("[1..5)") = [1..5)', True),
        ('range("[5..1]")', None),
        # contexts
        ('get value({a: {b: 1}}, ["a", "b"])', 1),
        ("get entries({a: 1})", [{"key": "a", "value": 1}]),
        ('context([{key: "a", value: 1}])', {"a": 1}),
        ('context([{key: "a", value: 1}, {key: "a", value: 2}])', None),
        ('context put({a: {b: 1}}, ["a", "c"], 2)', {"a": {"b": 1, "c": 2}}),
        ("context merge([{a: 1}, {a: 2, b: 3}])", {"a": 2, "b": 3}),
        # calls
        ("abs(n: -1)", 1),
        ("before(point: 6, range: [1..5])", False),
        ("before(range: [1..5], point: 6)", True),
        ("includes(point: 5, range: [1..5])", True),
        ("append(list: [1], item: 2)", [1, 2]),
        ("max(list: [1, 3, 2])", 3),
        ("date(year: 2026, month: 11, day: 22)", "2026-11-22"),
        ('context put(context: {a: {b: 1}}, keys: ["a", "b"], value: 2)', {"a": {"b": 2}}),
        ('context put(context: {a: {b: 1}}, key: ["a", "b"], value: 2)', None),
        ("abs(x: -1)", None),
        ("abs()", None),
        ("abs(1, 2)", None),
        ('string length(["single"])', 6),
        ("count(5)", 1),
    ],
)
def test_a_built_in_answers(text: str, value: object) -> None:
    assert feel.to_json(feel.compile(text).evaluate({})) == value


def test_every_built_in_can_be_called_with_nulls_and_with_nonsense() -> None:
    for name in feel.BUILT_INS:
        for count in range(5):
            for argument in ("null", '"x"', "-1.5", "[]", "{}", "[null]", '@"2026-11-22"', "[1..2]", "abs"):
                arguments = ", ".join([argument] * count)
                feel.compile(f"{name}({arguments})").evaluate({})


def test_the_standard_library_is_whole() -> None:
    standard = (
        "date,date and time,time,number,string,duration,years and months duration,not,substring,string length,"
        "upper case,lower case,substring before,substring after,replace,contains,starts with,ends with,matches,split,"
        "string join,list contains,count,min,max,sum,mean,all,any,sublist,append,concatenate,insert before,remove,"
        "reverse,index of,union,distinct values,flatten,product,median,stddev,mode,list replace,decimal,floor,ceiling,"
        "round up,round down,round half up,round half down,abs,modulo,sqrt,log,exp,odd,even,is,before,after,meets,"
        "met by,overlaps,overlaps before,overlaps after,finishes,finished by,includes,during,starts,started by,"
        "coincides,range,day of year,day of week,month of year,week of year,sort,get value,get entries,context,"
        "context put,context merge,now,today"
    )
    assert set(feel.BUILT_INS) == set(standard.split(","))
