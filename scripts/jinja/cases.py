"""The templates that the Swift implementation is compared over. All texts are our own."""

VALUES = {
    "q": "  Which bird can't fly? ", "n": 7, "f": 2.5, "yes": True, "no": False, "nil": None,
    "s": "caf\u00e9 cafe\u0301", "empty": "", "letters": "abcdef", "tag": "<b>&'\"",
    "xs": [3, 1, 2], "ys": [], "mixed": [1, 2.0, "three", None, True],
    "words": ["pear", "Apple", "fig", "apple"], "pair": (1, "a"),
    "d": {"b": 2, "a": 1, "C": 3}, "nested": {"choices": {"text": ["x", "y"], "label": ["A", "B"]}},
    "people": [
        {"name": "Ute", "age": 40, "home": {"city": "Ulm"}},
        {"name": "abe", "age": 7, "home": {"city": "Bonn"}},
        {"name": "Cy", "age": 40, "home": {"city": "Aalen"}},
    ],
    "items_key": {"items": [1, 2], "keys": 5, "x": 0},
    "greek": "\u039f\u0394\u039f\u03a3 \u03a3\u0391\u03a3", "sharp": "\u00dfa", "digraph": "\u01c6x",
    "emoji": "a\U0001F469\u200D\U0001F680b\u0301", "odd": "tab\tnl\nnbsp\u00a0bell\x07zw\u200b'",
    "blank": " \u00a0\u2003\u001fx\u3000\x85", "lines": "a\nb\r\nc\x0bd\u2028e\n",
}

# Rendered in both environments with VALUES.
EXPRESSIONS = r"""
1 + 2 * 3
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
7.5 // 2
-7.5 % 2
7.5 % -2
-0.0 // 3
7 / 2
6 / 2
1 / 0
1 // 0
1.0 % 0
2 ** 10
2 ** 3 ** 2
-2 ** 2
2 ** 0
0 ** 0
(-1) ** 63
-n
+f
- -3
not not n
1 + true
true * 3
1e16
1e15
123456789012345680.0
0.0001
0.00001
1e-7
1.5e300
0.1 + 0.2
1_000
1_0.2_5
0x1f
0b101
0o17
1.0
100.0
-0.0
5.0e-324
1.7976931348623157e308
2.5e-5
3 == 3.0
1 == true
"1" == 1
none == none
xs == [3, 1, 2]
pair == (1, 'a')
pair == [1, 'a']
d == {'a': 1, 'b': 2, 'C': 3}
1 < 2 < 3
1 < 3 < 2
3 > 2 >= 2
1 < "a"
none < 1
[1, 2] < [1, 3]
(1, 2) < (1, 2, 0)
[1] < [1, "a"]
"a" < "b"
"Z" < "a"
"é" > "z"
s == "cafe\u0301 café"
s | length
"café" == "cafe\u0301"
"a" in letters
"cd" in letters
"" in ""
"x" not in letters
3 in xs
3.0 in xs
"3" in xs
"a" in d
1 in d
1 in "a1"
1 in 5
[1] in d
not 1 in xs
none or "x"
"" or ys or 0
n and f
no and missing
yes or missing
0 or none
not empty
"a" if yes else "b"
"a" if no else "b"
"a" if no
("a" if no) is defined
1 if no else 2 if no else 3
letters[0]
letters[-1]
letters[99]
letters[1:3]
letters[::-1]
letters[::2]
letters[4:1:-2]
letters[-3:]
letters[:-3]
letters[10:]
letters[:10]
letters[-100:2]
letters[::0]
letters[2:1]
letters["x"]
letters[none:2]
letters["a":]
letters[1:-1:1]
letters[5:-9223372036854775807:-1]
letters[::9223372036854775807]
xs[1]
xs[-1]
xs[5]
xs[5] is defined
xs[:2]
xs[::-1]
xs[true]
xs.1
xs["1"]
pair[1]
pair[::-1]
emoji | length
emoji[1:2]
emoji[::-1]
s[3]
s[:5]
d.a
d["b"]
d.missing
d["missing"]
d.missing is defined
d.missing.more
d.missing.more is defined
d.items()
d.keys()
d.values()
d.items() | list
d.keys() | list
d.keys()[0]
d.values() | sum
d.get("a")
d.get("z")
d.get("z", 9)
d.get("z") is none
d | length
d.items() | length
d[0]
d[xs]
items_key["items"]
items_key["keys"]
items_key.x
nested.choices.text
nested.choices.text[1]
nested["choices"]["label"]
nested.choices.label.index("B")
nested.choices.label.index("Z")
missing
missing is defined
missing is undefined
missing | default("dflt")
missing.x
missing.x | default("dflt")
missing["x"]
missing ~ "x"
missing + 1
1 + missing
missing == 1
missing == missing
missing | length
missing | upper
missing | list
missing | join(",")
missing | int
missing is none
missing is string
missing is sequence
missing is iterable
missing is mapping
missing is callable
missing in xs
"a" in missing
missing()
[missing]
not missing
("a" if no) ~ "b"
("a" if no) | length
("a" if no) + "b"
("a" if no).x
("a" if no) == 1
("a" if no) | default("z")
["a" if no]
missing or 1
none.x
none.x is defined
none["x"] is defined
n.x is defined
n[0] is defined
"é".x is defined
"a" "b" 'c'
"a" ~ 1 ~ none ~ 2.0 ~ true
"a" + "b"
"a" + 1
"ab" * 3
3 * "ab"
"ab" * 0
"ab" * -1
xs * 2
xs + [4]
pair + (3,)
xs + pair
xs - 1
"a" - "b"
d + d
none + 1
true
false
True
False
none
None
mixed
pair
(1,)
()
(1)
1, 2
[]
{}
{'a': 1, "b": [1, 2.5, none]}
{1: 2, none: 3, (1, 2): 4}
{1: 'a', 1.0: 'b', true: 'c'}
{xs: 1}
d
nested
tag
[tag]
[odd]
["it's", 'say "hi"', 'both \' and "']
["\\", "\n\r\t", "\x00\x7f\x85", "\u200b", "é", "\U0001F600", "\ue000"]
[1e16, 0.1, -0.0]
"\x41\u0042\U00000043\103\7"
"a\
b"
"\d\q\."
"\é"
"\'"
'\''
"\a\b\f\v" | length
"tab\there"
s.upper()
greek.lower()
greek | lower
sharp.upper()
sharp.capitalize()
sharp | capitalize
digraph.capitalize()
digraph.title()
digraph | title
"ŉx ﬁn".upper()
"İx".lower() | length
"ΑΣ".lower()
"ΑΣ.".lower()
"ΑΣΑ".lower()
"Σ".lower()
"A\u0301Σ".lower()
"hello wORLD it's x-ray".title()
"hello wORLD it's x-ray (abc) <d {e [f" | title
"hello  wORLD" | capitalize
"aB1ß".swapcase()
"abc".isupper()
"ABC1".isupper()
"abc1".islower()
"aBc".islower()
"1".islower()
"12".isdigit()
"².".isdigit()
"²".isdigit()
"²".isdecimal()
"½".isnumeric()
"½".isdigit()
"一".isnumeric()
"一".isalpha()
"ab1".isalnum()
"ab ".isalnum()
" \t".isspace()
"".isspace()
"\u200b".isspace()
"ab".isascii()
"é".isascii()
q.strip()
q | trim
blank.strip()
blank.lstrip() | length
blank.rstrip() | length
"xxabcxx".strip("x")
"xyabcyx".lstrip("xy")
"xyabcyx".rstrip("yx")
"xxaxx" | trim("x")
"xxaxx" | trim(chars="x")
"a.b.c".split(".")
"a.b.c".split(".", 1)
"a.b.c".split(sep=".", maxsplit=1)
"a.b.c".rsplit(".", 1)
"  a  b c ".split()
"  a  b c ".split(none, 1)
"  a  b c ".rsplit(none, 1)
"  a  b c ".rsplit()
" a b ".split(" ")
"a\u00a0b\u3000c".split()
"abab".split("ab")
"".split()
"".split(",")
"a".split("")
"a,b,,c".split(",")
"aXXbXXc".rsplit("XX")
"aXXXb".rsplit("XX")
"aXXXb".split("XX")
"a b c".split(maxsplit=0)
"  a b ".split(none, 0)
lines.splitlines()
lines.splitlines(true)
lines.splitlines(keepends=true) | length
"a-b-c".partition("-")
"a-b-c".rpartition("-")
"abc".partition("-")
"abc".rpartition("-")
"aaa".replace("a", "b")
"aaa".replace("a", "b", 2)
"abc".replace("", "-")
"abc".replace("", "-", 2)
"".replace("", "x")
"abc".replace("x", "y")
"aaa" | replace("a", "b")
"aaa" | replace("a", "b", 1)
123 | replace(2, "x")
"e\u0301".replace("e", "E")
"abc".find("c")
"abc".find("x")
"abcabc".rfind("b")
"abcabc".find("b", 2)
"abcabc".find("b", 2, 3)
"abc".index("x")
"abc".rindex("b")
"é😀c".find("c")
"abc".find("")
"abc".find("", 9)
"abc".rfind("")
"aXbX".rfind("X")
"aaaa".count("aa")
"abc".count("")
"abc".count("")
"abcabc".count("b", 2)
"abc".startswith("ab")
"abc".startswith(("x", "a"))
"abc".startswith("b", 1)
"abc".endswith("bc")
"abc".endswith(("x", "c"))
"abc".startswith("")
"abc".removeprefix("a")
"abc".removeprefix("x")
"abc".removesuffix("bc")
"abc".removesuffix("")
"-".join(["a", "b"])
"-".join("abc")
"-".join([1, 2])
"-".join(d)
"ab".center(7)
"abc".center(8, "*")
"ab".center(5, "*")
"abc".center(6)
"ab" | center(7)
"ab".ljust(4) ~ "|"
"ab".rjust(4, ".")
"ab".ljust(4, "..")
"42".zfill(5)
"-42".zfill(5)
"+".zfill(3)
"é".zfill(3)
"{} and {}".format("a", 1)
"{1} {0}".format("a", "b")
"{x}-{y}".format(x=1, y=none)
"{{}} {}".format(2)
"{:>5}|{:<5}|{:^5}|{:*^7}".format("a", "b", "c", "d")
"{:5}|{:5}".format("a", 12)
"{:.2f}".format(2.675)
"{:08.3f}".format(-3.14159)
"{:,}".format(1234567)
"{:,.1f}".format(1234567.89)
"{:+d}".format(5)
"{:05d}".format(-42)
"{:x} {:X} {:o} {:b}".format(255, 255, 8, 5)
"{:.1%}".format(0.1234)
"{:.3}".format("abcdef")
"{!r} {!s}".format("a", "b")
"{} {}".format("a")
"{a}".format()
"{0} {}".format(1)
"{:d}".format("a")
"{".format()
"{:.0f} {:.0f} {:.0f}".format(0.5, 1.5, 2.5)
"{}".format(1.0)
"{:>8}".format(1.5)
"{}".format(xs)
"%s and %d" % ("a", 3)
"%s" % "x"
"%s" % xs
"%5.2f|%-6s|%06d" % (3.14159, "ab", -42)
"%d%%" % 50
"%s %s" % ("a",)
"%s" % ("a", "b")
"%(a)s-%(b)s" % {"a": 1, "b": 2}
"%d" % "a"
"%d" % 3.9
"%x %X %o" % (255, 255, 8)
"%r" % "it's"
"%+d % d" % (3, 4)
"%.3s" % "abcdef"
"%e" % "a"
"no conversion" % 1
"no conversion" % []
"no conversion" % d
"%.3d" % 5
"%s is %s" | format("a", 1)
"%(a)s" | format(a=1)
"%5s" | format("ab")
xs | length
xs | count
xs | first
xs | last
ys | first
ys | first is defined
ys | last
letters | first
letters | last
d | first
d | last
xs | sort
xs | sort(reverse=true)
words | sort
words | sort(case_sensitive=true)
words | sort(true, true)
people | sort(attribute="age") | map(attribute="name") | list
people | sort(attribute="age", reverse=true) | map(attribute="name") | join(",")
people | sort(attribute="age,name") | map(attribute="name") | join(",")
people | sort(attribute="home.city") | map(attribute="home.city") | join(",")
mixed | sort
xs | reverse | list
letters | reverse
"é😀" | reverse
d | reverse | list
pair | reverse | list
xs | map("string") | reverse
words | map("upper") | list
words | map("replace", "p", "b") | list
words | map("length") | sum
people | map(attribute="name") | list
people | map(attribute="home.city") | list
people | map(attribute="zip") | list
people | map(attribute="zip", default="-") | list
[[1, 2], [3, 4]] | map(attribute=1) | list
[[1, 2], [3, 4]] | map(attribute="0") | list
[[3, 1], [2]] | map("sort") | list
words | map("nosuchfilter") | list
words | map | list
xs | select | list
[0, 1, "", none, "a"] | select | list
[0, 1, "", none, "a"] | reject | list
xs | select("odd") | list
xs | reject("odd") | list
xs | select("gt", 1) | list
xs | select(">", 1) | list
xs | select("in", [1, 2]) | list
xs | select("divisibleby", 3) | list
people | selectattr("age", "equalto", 40) | map(attribute="name") | list
people | selectattr("age", "lt", 40) | map(attribute="name") | list
people | rejectattr("age", "==", 40) | map(attribute="name") | list
people | selectattr("home.city", "in", ["Ulm", "Bonn"]) | list | length
people | selectattr("name") | list | length
people | selectattr("nick", "defined") | list
people | selectattr("nick", "undefined") | list | length
people | selectattr | list
missing | select | list
words | unique | list
words | unique(true) | list
people | unique(attribute="age") | map(attribute="name") | list
xs | sum
xs | sum(start=10)
people | sum(attribute="age")
words | sum
[[1], [2]] | sum(start=[])
[] | sum
[0.1, 0.2] | sum
xs | min
xs | max
words | max
words | min
people | max(attribute="age")
ys | min
ys | max is defined
["a", 1] | max
xs | join
xs | join(", ")
xs | join(d="-")
mixed | join("|")
people | join(", ", attribute="name")
letters | join("-")
d | join
xs | list
letters | list
"e\u0301" | list
d | list
pair | list
5 | list
none | list
range(3)
range(1, 9, 3)
range(5, 0, -2) | list
range(3) | list
range(3)[1]
range(3)[-1]
range(3) | last
range(3) | length
range(0)
range(1, 2, 0)
range("a")
range(3) | sum
2 in range(3)
dict(a=1, b=2)
dict(d, z=9)
dict([("a", 1), ("b", 2)])
dict([1])
d | dictsort
d | dictsort(true)
d | dictsort(by="value")
d | dictsort(reverse=true)
d | dictsort(false, "value", true)
d | dictsort(by="other")
d | items | list
xs | items | list
missing | items | list
xs | batch(2) | list
xs | batch(2, "-") | list
letters | batch(4) | list
letters | batch(4) | map("join") | list
letters | slice(4) | list
letters | slice(4, "-") | list
"a\nb\n\nc" | indent
"a\nb\n\nc" | indent(2)
"a\nb\n\nc" | indent(2, true)
"a\nb\n\nc" | indent(2, true, true)
"a\nb\n" | indent(width="> ")
"a\r\nb" | indent(1)
5 | indent
"" | indent(2, true)
"the quick brown fox jumps" | truncate(12)
"the quick brown fox jumps" | truncate(12, true)
"the quick brown fox jumps" | truncate(12, false, "~", 0)
"short" | truncate(3, leeway=5)
"short" | truncate(2)
"one two, three_four  5" | wordcount
"42" | int
" 42 " | int
"4_2" | int
"42.7" | int
"-42.7" | int
"x" | int
"x" | int(5)
"x" | int(default=none)
"0x1f" | int
"0x1f" | int(base=16)
"1f" | int(0, 16)
"101" | int(0, 2)
"0b11" | int(0, 0)
"z" | int(0, 36)
"٤٢" | int
"1__2" | int
"_1" | int
"" | int
none | int
true | int
3.99 | int
-3.99 | int
[] | int
"1e3" | int
"inf" | int
"nan" | int
"4.5" | float
"x" | float
"x" | float(1.5)
"1e3" | float
" -.5 " | float
"5." | float
"1_0.5" | float
"." | float
"1e" | float
"infinity" | float
"-inf" | float
"nan" | float
"0x10" | float
3 | float
none | float
true | float
-3 | abs
-2.5 | abs
"a" | abs
2.5 | round
3.5 | round
2.675 | round(2)
1.005 | round(2)
1234.5678 | round(2)
42.55 | round(1, "floor")
42.55 | round(1, "ceil")
-42.55 | round(1, "floor")
42.1 | round(method="ceil")
5 | round
5 | round(2, "floor")
0.5 | round
-0.4 | round
1e300 | round(2)
5.0e-324 | round(3)
123456.789 | round(1)
2.5 | round(method="other")
"a" | round
-2 | abs
-f | abs
3 | string ~ "x"
none | string
xs | string
"abc" | upper
5 | upper
none | lower
missing | default
none | default("x")
none | default("x", true)
"" | d("x", true)
0 | d("x", boolean=true)
d.zz | d([])
"<a>" | e
"<a> & 'b' \"c\"" | escape
"<a>" | safe
"x" | safe | length
"x" | e is string
n is defined
n is number
f is number
yes is number
"1" is number
n is integer
yes is integer
f is integer
f is float
n is float
yes is boolean
n is boolean
yes is true
1 is true
no is false
nil is none
nil is not none
s is string
xs is string
xs is sequence
d is sequence
s is sequence
n is sequence
xs is iterable
d is iterable
n is iterable
d is mapping
xs is mapping
range(3) is sequence
d.keys() is sequence
d.keys() is iterable
xs | map("string") is iterable
n is odd
n is even
2.0 is even
"a" is odd
n is divisibleby(7)
n is divisibleby 7
n is divisibleby 0
n is in [7, 8]
n is not in [7, 8]
n is eq 7
n is equalto 7
n is == 7
n is ne 7
n is gt 3
n is ge 7
n is lt 7
n is le 7
n is lessthan 9
n is greaterthan 9
"abc" is lower
"ABC" is upper
"aBC" is upper
range is callable
n is callable
n is odd and f is float
n is not odd or yes
not n is odd
n is defined and n > 3
xs is iterable and xs is not mapping and xs is not string
n is nosuchtest
x is defined is defined
n | nosuchfilter
xs.count(3)
xs.index(1)
xs.index(9)
xs.nosuch
xs.nosuch is defined
pair.index("a")
pair.count(1)
f.is_integer()
2.0.is_integer()
(2.0).is_integer()
s.nosuch()
s.nosuch is defined
n()
s()
"a".upper(1)
"a".replace("a")
"a".split(foo=1)
xs | join(1, 2, 3)
xs | sort(foo=1)
"a".strip(1)
"a".join(5)
(1, 2) | map("string") | join(*["-"])
"{} {}".format(*["a", "b"])
"{a}".format(**{"a": 1})
dict(**{"a": 1})
"a,b".split(",") | map("upper") | join("+") ~ "!"
(xs | sort)[0]
xs | sort | first
[1, 2, 3][1:] | sum
{"a": {"b": [10, 20]}}.a.b[-1]
{"a": 1}["a"]
["A", "B", "C"][n % 3]
"abc"["b" == "b"]
["a", "b"].index("b") + 1
"yes" if n in [1, 7] and not no else "no"
(n > 3) | string
"x" * (n - 5)
[1, 2,]
(1, 2,)
{"a": 1,}
"a".replace("a", "b",)
[1 2]
{1}
1 +
* 1
(1
1)
[1)
"a
a b
a..b
a.5b
012
1.
.5
$
a = 1
xs | tojson
d | tojson
nested | tojson
mixed | tojson
tag | tojson
"é\u200b😀\x7f\x01\n" | tojson
missing | tojson
{"a": 1.0, "b": 1e100} | tojson
{1: 2, none: 3, true: 4} | tojson
[] | tojson
{} | tojson
(1, 2) | tojson
d | tojson(indent=2)
nested | tojson(indent=2)
[[], {}] | tojson(indent=1)
range(2) | tojson
""".strip("\n").replace('"a\\\nb"', '"a\\\x00b"').split("\n")
EXPRESSIONS = [line.replace("\x00", "\n") for line in EXPRESSIONS]

CHAT_EXPRESSIONS = [
    'd | tojson(sort_keys=true)', 'd | tojson(separators=(",", ":"))',
    'd | tojson(indent=4, separators=(",", " : "))', 'd | tojson(indent="\t")',
    '"é" | tojson(ensure_ascii=true)', '"😀" | tojson(ensure_ascii=true)',
    'd | tojson(false, none, none, true)', 'tag | tojson | upper', 'd | tojson(nosuch=1)',
    'strftime_now("%d %b %Y")', 'strftime_now("%A %B %-d, %Y %H:%M:%S %p %I %j %y %a %e %F %T %%")',
    'strftime_now("%m/%-m %-H")', 'raise_exception("no")', 'range(100001)', 'range(100000) | length',
    '"a" | regex_replace("a", "b")', 'xs.append(1)', 'd.update({"z": 1})', 'd.pop("a")',
    'd | tojson + "x"',
]

REGEX = [
    ("a1b22", r"\d", "#"), ("a1b22", r"\d+", "#"), ("a1b22", r"(\d+)", r"<\1>"), ("abc", "b?", "-"),
    ("abxd", "x*", "-"), ("abc", "", "-"), ("aaa", "a*?", "x"), ("aaa", "a+?", "x"),
    ("[title] x [substeps] y", r"\[.*?\]", ""), ("a  b   c", r"\s+", " "), ("a\nb", ".", "x"),
    ("a\nb", "(?s).", "x"), ("a\nb\n", "$", "E"), ("a\nb\n", "(?m)$", "E"), ("a\nb", "^", "S"),
    ("a\nb", "(?m)^", "S"), ("Hello", "(?i)hELLO", "bye"), ("héllo wörld", r"\w+", "W"),
    ("foo bar", r"\bb", "X"), ("foo bar", r"\B", "-"), ("john smith", r"(\w+) (\w+)", r"\2 \1"),
    ("john smith", r"(?P<a>\w+) (?P<b>\w+)", r"\g<b>, \g<a> \g<1> \g<0>"), ("abab", r"(ab)\1", "x"),
    ("aab", "(a|ab)(b|)", r"[\1|\2]"), ("abcabc", "a(?=b)", "X"), ("abcadc", "a(?!b)", "X"),
    ("a.b", r"\.", r"\\"), ("ab", "(a)|(b)", r"<\1\2>"), ("aaaa", "a{2}", "x"), ("aaaaa", "a{2,3}", "x"),
    ("aaaaa", "a{2,}?", "x"), ("a{2", "a{2", "x"), ("a{,}b", "a{,2}b", "x"), ("xyz", "[^y]", "-"),
    ("a-b]c", r"[\]-]", "_"), ("a-b", "[a-]", "_"), ("a]b", "[]a]", "_"), ("az09", "[a-c0-5]", "_"),
    ("tab\there", r"\t", " "), ("x\u00a0y", r"\s", "_"), ("\u0664", r"\d", "D"), ("abc", "(", "x"),
    ("abc", "[", "x"), ("abc", "*", "x"), ("abc", "a**", "x"), ("abc", r"\2", "x"), ("abc", "b", r"\1"),
    ("abc", "b", r"\n\t"), ("abc", "b", r"\q"), ("abc", "b", r"\."), ("abc", "b", "\\"), ("aXbX", "X", "$1"),
    ("(a)", r"[()]", ""), ("a|b", r"a\|b", "x"), ("foobar", "foo(?:bar)?", "x"), ("aa", "(a*)*", "x"),
    ("aab", "(?:a|aa)*b", "x"), ("ab", "(?:)*a", "x"), ("ÀÉ", "(?i)é", "x"), ("a\r\nb", r"\r?\n", " "),
    ("email: a.b@c.de", r"[\w.]+@[\w.]+", "@"), ("x=1;y=2", r"(\w)=(\d);?", r"\2\1 "),
    ("aaa", "^a", "b"), ("cat hat", "[ch]at", "dog"), ("", "a*", "x"), ("abc", r"\Ab", "x"),
    ("abc", r"c\Z", "x"), ("ab12", "[^\\W\\d]+", "L"), ("\x08", r"[\b]", "x"), ("aé", r"\xe9", "e"),
]

# (environment or both, template, extra context)
STATEMENTS = [
    "{% if n > 5 %}big{% elif n > 3 %}mid{% else %}small{% endif %}",
    "{% if no %}a{% elif n == 7 %}b{% elif yes %}c{% endif %}", "{% if missing %}a{% else %}b{% endif %}",
    "{% if missing is defined and missing %}a{% else %}b{% endif %}", "{% if xs %}full{% endif %}{% if ys %}x{% endif %}",
    "{% if 1, 2 %}tuple{% endif %}", "{% if n: %}colon{% endif %}",
    "{% for x in xs %}{{ x }},{% endfor %}", "{% for x in ys %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }};{% endfor %}",
    "{% for x in xs %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}",
    "{% for x in xs %}{{ loop.previtem is defined }}<{{ x }}>{{ loop.nextitem is defined }} {% endfor %}",
    "{% for x in xs if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% else %}none{% endfor %}",
    "{% for x in xs if x > 9 %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in xs if x is odd %}{{ x }}{{ loop.last }}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}{{ v }}{% endfor %}", "{% for (a, b) in [(1, 2), (3, 4)] %}{{ a + b }} {% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}",
    "{% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}", "{% for c in 'héy' %}[{{ c }}]{% endfor %}",
    "{% for x in 5 %}{{ x }}{% endfor %}", "{% for x in none %}{{ x }}{% endfor %}", "{% for x in missing %}{{ x }}{% else %}e{% endfor %}",
    "{% for x in range(3) %}{{ x }}{% endfor %}", "{% for x in xs %}{% for y in xs %}{{ loop.depth }}{{ x * y }} {% endfor %}{{ loop.depth0 }}|{% endfor %}",
    "{% for x in xs %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for x in xs %}{% set y = x %}{% endfor %}{{ y }}", "{% set y = 0 %}{% for x in xs %}{% set y = y + x %}{{ y }} {% endfor %}{{ y }}",
    "{% set ns = namespace(t=0) %}{% for x in xs %}{% set ns.t = ns.t + x %}{% endfor %}{{ ns.t }}",
    "{% set ns = namespace() %}{{ ns.x }}", "{% set ns = namespace() %}{{ ns.x is defined }}", "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns['b'] }}",
    "{% set ns = namespace(found=false) %}{% for x in xs if not ns.found %}{{ x }}{% set ns.found = true %}{% endfor %}",
    "{% set d.a = 5 %}", "{% set nope.a = 5 %}", "{% set x = 1, 2 %}{{ x }}", "{% set a, b = 1, 2 %}{{ b }}{{ a }}", "{% set a, b = 1 %}", "{% set a, b = (1, 2, 3) %}",
    "{% set x %}<{{ n }}>{% endset %}{{ x }}{{ x | length }}", "{% set x | upper | trim %} abc {% endset %}[{{ x }}]", "{% set x %}{% set inner = 1 %}{% endset %}{{ inner is defined }}",
    "{% if yes %}{% set z = 5 %}{% endif %}{{ z }}", "{% set n = n + 1 %}{{ n }}",
    "{% filter upper %}abc{{ n }}{% endfilter %}", "{% filter replace('a', 'b') | upper %}aaa{% endfilter %}", "{% filter trim %}  x  {% endfilter %}|",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}", "{% with n = 1, m = n %}{{ n }}{{ m }}{% endwith %}",
    "{% macro m(a, b=2) %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=4, a=5) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}",
    "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, z=2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(3) }}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, z=3) }}", "{% macro m(a) %}{{ a }}{{ varargs }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m() %}{{ x }}{% endmacro %}{% set x = 5 %}{{ m() }}", "{% macro m() %}{{ n }}{% endmacro %}{{ m() }}", "{% macro m(k) %}{% if k > 0 %}{{ k }}{{ m(k - 1) }}{% endif %}{% endmacro %}{{ m(5) }}",
    "{% macro a() %}A{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "{% macro m() %}  x  {% endmacro %}[{{ m() | trim }}]{{ m()|length }}",
    "{% macro m(x) %}{% set y = x * 2 %}{{ y }}{% endmacro %}{{ m(2) }}{{ y is defined }}", "{% macro m(a=1, b) %}{% endmacro %}", "{{ m() }}{% macro m() %}x{% endmacro %}", "{% macro m(x) -%}  <{{ x }}>  {%- endmacro %}{% for i in xs %}{{ m(i) }}{% endfor %}",
    "{% for i in xs %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}", 
    "{% raw %}{{ x }} {% if %} {# c #}{% endraw %}", "{%- raw -%}  {{ x }}  {%- endraw -%}  z", "{% raw %}unclosed", "a{# comment {{ x }} #}b", "a{#- c -#}  b", "{# open", "{% if yes %}", "{% endif %}", "{% for x in xs %}{% endif %}", "{% else %}", "{{ n", "{% if n", "{% nosuchtag %}", "{{ }}", "{% %}", "{% set %}", "{% for %}", "{% for x y %}{% endfor %}", "{% set 1 = 2 %}", "{% set none = 1 %}", "{% for loop in xs %}{% endfor %}", "{{ n }", "}} {{ n }} %}", "{ { n } }", "{{ '}}' }}", "{{ {'a': {'b': 1}}.a.b }}", "{{ {'a': {'b': 1}}}}", "{{'{%'}}", "{{ \"{#\" }}", "{{ n|string|length }}", "{{ -n|abs }}", "{{ (-n)|abs }}", "{{ n -1 }}", "{{-n}}", "{{- n -}}", "{{+ n }}", "{{ n +}}",
    "{% print n, 'x' %}", "  {{- n }} x", "a  {{- n -}}  b", "a\n  {%- if yes %}\n b\n  {%- endif %}\nc", "a\n  {% if yes %}\n b\n  {% endif %}\nc\n", "a\n  {%+ if yes %}\n b\n  {%+ endif %}\nc", "a\n  {% if yes +%}\n b{% endif %}", "  {% if yes %}x{% endif %}  \n  y", "\n\n  {% set a = 1 %}\n\n{{ a }}\n", "  {# c #}\nx", "x  {# c #}\ny", "  {{ n }}\n  {# c #}  {{ n }}\n", "{{ n }}  {% if yes %}x{% endif %}", "a {% if yes %} b {% endif %} c", "{% if yes -%}\n\n  x\n\n{%- endif %}", "a\r\nb\rc\n", "trailing\n", "trailing\n\n", "\n", "", " ", "{{ n }}\n", "{% if yes %}\n{% endif %}\n", "{{ 'a\r\nb' }}", "\t{% if yes %}\t\nx\n\t{% endif %}\t\n", "{% raw %}\n x\n{% endraw %}\ny", "  {% raw %} x {% endraw %}  y", "a\u00a0{%- if yes %}b{% endif %}", "\u00a0{% if yes %}b{% endif %}", "{% for x in xs -%}\n  {{ x }}\n{%- endfor %}", "{% for x in xs %}\n  {{ x }}\n{% endfor %}\n", "{%- for x in xs -%} {{ x }} {%- endfor -%}", "{% set x = 'multi\nline' %}{{ x }}", "{{ n }}{# a #}{# b #}\n\nx", "{%if yes%}tight{%endif%}", "{%-if yes-%} t {%-endif-%}", "{% if yes %}{% raw %}{% endif %}{% endraw %}{% endif %}",
    "{% set messages = people %}{{ messages[0].name }}{{ messages[1:] | length }}", "{% set g = words | map('upper') %}{{ g | list }}{{ g | list }}", "{% for x in xs %}{% if loop.first %}{% set f = x %}{% endif %}{{ f }}{% endfor %}",
    "{% set x = none %}{{ x is none }}{{ x }}", "{{ loop is defined }}{% for x in xs %}{{ loop is defined }}{% endfor %}", "{% for x in xs %}{{ loop.nosuch }}{% endfor %}", "{% for x in xs %}{{ loop.nosuch is defined }}{% endfor %}", "{% set loop = 1 %}{{ loop }}",
    "{% set x = 'a' if no %}{{ x is defined }}", "{% set x = missing %}{{ x is defined }}", "{{ (missing | default(xs))[0] }}", "{% set caller = 1 %}{{ caller }}", "{% for x in [1,2,3,4] %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}", "{{ [1,2]|map('string')|list|join('/') }}",
]

CHAT_STATEMENTS = [
    "{% for x in xs %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% for x in xs %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in xs %}{% for y in xs %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}|{% endfor %}", "{% break %}", "{% continue %}", "{% for x in xs %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for x in xs %}{% generation %}{{ x }}{% set z = 1 %}{% endgeneration %}{{ z is defined }}{% endfor %}", "  {% generation %}\n  a\n  {% endgeneration %}\nb",
    "{% for x in xs %}{% if x == 2 %}{{ raise_exception('bad ' ~ x) }}{% endif %}{{ x }}{% endfor %}", "{% for x in ys %}{{ raise_exception('never') }}{% endfor %}ok",
    "{% for x in xs if x != 3 %}{% if loop.last %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in xs %}{{ x }}{% continue %}{{ x }}{% endfor %}{% for x in xs %}{{ x }}{% endfor %}",
]

CHATML = """{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

LLAMA2 = """{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}{% else %}{% set rest = messages %}{% set system = false %}{% endif %}
{% for message in rest %}
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('user and assistant must take turns') }}
{% endif %}
{% if loop.index0 == 0 and system != false %}
{% set content = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message['content'] %}
{% else %}
{% set content = message['content'] %}
{% endif %}
{% if message['role'] == 'user' %}
{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
{% elif message['role'] == 'assistant' %}
{{ ' ' + content.strip() + ' ' + eos_token }}
{% endif %}
{% endfor %}"""

LLAMA3 = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now("%d %b %Y") %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none and tools is defined %}
    {{- "Tools at hand:\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- "Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("one call at a time") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- else %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable and message.content is not string %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

ZEPHYR = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{% generation %}
{{ '<|assistant|>\n'  + message['content'] + eos_token }}
{% endgeneration %}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""

MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("roles must alternate") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is defined and tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- else %}
        {{- raise_exception("unknown role " + message["role"]) }}
    {%- endif %}
{%- endfor %}
"""

GEMMA = """{{ bos_token }}
{%- macro render_part(part) -%}
    {%- if part is string -%}
        {{ part | trim }}
    {%- elif part is iterable -%}
        {%- for item in part -%}
            {%- if item['type'] == 'image' -%}
                {{ '<image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content") }}
    {%- endif -%}
{%- endmacro -%}
{%- if messages[0]['role'] == 'system' -%}
    {%- set prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\\n' + (prefix if loop.first else "") }}
    {{- render_part(message['content']) }}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\\n'}}
{%- endif -%}
"""

THINKING = """{%- set ns = namespace(last=messages|length - 1, seen=false) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if not ns.seen and message.role == "user" and message.content is string and not(message.content.startswith('<reply>') and message.content.endswith('</reply>')) %}
        {%- set ns.seen = true %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- set thought = '' %}
    {%- if '</think>' in content %}
        {%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '[' ~ message.role ~ ':' ~ loop.index0 ~ '>' ~ ns.last ~ '] ' }}
    {%- if thought and loop.index0 > ns.last %}
        {{- '(' + thought.strip('\\n') + ') ' }}
    {%- endif %}
    {{- content + '\\n' }}
{%- endfor %}
"""

TALKS = [
    [{"role": "user", "content": " How far is the moon? "}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a river."},
     {"role": "assistant", "content": " The Inn. "}, {"role": "user", "content": "And a lake?\n"}],
    [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
    [{"role": "user", "content": "caf\u00e9 \U0001F469\u200D\U0001F680"},
     {"role": "assistant", "content": "<think>\nhm, \u00e7a\n</think>\n\nyes"}],
    [{"role": "user", "content": "<think>x</think>q"}, {"role": "assistant", "content": "<think>\nlong\n</think>\n\nyes"}],
]
TOOL_TALK = [
    {"role": "user", "content": "Weather in Ulm?"},
    {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Ulm", "days": 2}}}]},
    {"role": "tool", "content": {"sky": "gr\u00e4y", "degrees": 4.5}},
]
TOOLS = [{"type": "function", "function": {
    "name": "weather", "description": "Says what the sky does.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "return": {"type": "string"}}}]

TASKS = [
    "Question: {{question.strip()}}\nAnswer:", "{{choices.text}}", "{{choices.label.index(answerKey)}}",
    "{{[distractor1, distractor2, correct]}}", "{{ [sol1, sol2][label] }}", "{{label}}", "{{label - 1}}", "{{ 'yes' if label == 1 else 'no' }}",
    "{{passage}}\nQuestion: {{question}}?\nAnswer:", "{{question.strip()}}\nA. {{choices.text[0]}}\nB. {{choices.text[1]}}\nAnswer:",
    "{% set seq = ['A', 'B', 'C'] %}{{ question }}\n{% for c in choices.text %}{{ seq[loop.index0] }}. {{ c }}\n{% endfor %}Answer:",
    "{{text.split(' ')[:-1]|join(' ')}}", "{{' '+text.split(' ')[-1]}}", "{{question.lstrip()}}|{{text.rstrip()}}", "{{ answerKey | int if answerKey is number else 'ABCD'.index(answerKey) }}",
    "{{['A','B','C','D'].index(answerKey)}}", "{{question|trim|capitalize}}", "{{ choices.text|length }}", "{{text[:1].upper() + text[1:]}}", "{{ question.replace('?', '') ~ '.' }}",
    "{{text|regex_replace('\\\\s+', ' ')}}", "{{ text | regex_replace(\"([a-z]+) ([a-z]+)\", \"\\\\2 \\\\1\", count=1) }}", "{{ range(choices.text|length)|list }}", "{{ choices.text|map('trim')|list }}",
    "{% if passage %}{{passage}}\n\n{% endif %}{{question}}", "{{missing_field}}", "{{choices.missing}}", "{{ choices.text[7] }}", "{{ 'x' if passage in ['', none] else passage }}\n", "{{answerKey.lower()}}{{ answerKey in ['A', 'B'] }}",
    "{{ ' '.join(choices.text) }}", "{{ dict(zip=1) }}", "{{ text.split()|length }}", "{{ (label|int + 1)|string }}", "{{ text.encode('utf-8')|length if false else 1 }}",
]
DOCUMENT = {
    "question": " What melts\u00a0ice? ", "choices": {"text": ["salt ", " heat"], "label": ["A", "B"]}, "answerKey": "B",
    "distractor1": "it's", "distractor2": 'a "b"', "correct": "c\\d", "sol1": "boil", "sol2": "freeze", "label": 1,
    "passage": "Ice is cold.\n", "text": "the  small fox ran home",
}


def all_cases():
    for expression in EXPRESSIONS:
        for environment in ("harness", "chat"):
            yield environment, "{{ " + expression + " }}", VALUES
    for expression in CHAT_EXPRESSIONS:
        yield "chat", "{{ " + expression + " }}", VALUES
    for text, pattern, replacement in REGEX:
        yield "harness", "{{ t | regex_replace(p, r) }}", {"t": text, "p": pattern, "r": replacement}
    yield "harness", "{{ 'aaaa' | regex_replace('a', 'b', 2) }}", {}
    yield "harness", "{{ 'aaaa' | regex_replace('a', repl='b', count=1) }}", {}
    yield "harness", "{{ 5 | regex_replace('a', 'b') }}", {}
    for template in STATEMENTS:
        for environment in ("harness", "chat"):
            yield environment, template, VALUES
    for template in CHAT_STATEMENTS:
        yield "chat", template, VALUES
    yield "harness", CHAT_STATEMENTS[0], VALUES
    for template in (CHATML, LLAMA2, LLAMA3, ZEPHYR, MISTRAL, GEMMA, THINKING):
        for talk in TALKS:
            for prompt in (False, True):
                yield "chat", template, {
                    "messages": talk, "add_generation_prompt": prompt, "bos_token": "<s>", "eos_token": "</s>"}
    for template in (LLAMA3, MISTRAL, CHATML):
        yield "chat", template, {
            "messages": TOOL_TALK, "tools": TOOLS, "add_generation_prompt": True, "bos_token": "<s>", "eos_token": "</s>"}
    yield "chat", MISTRAL, {"messages": TALKS[1], "tools": TOOLS, "bos_token": "<s>", "eos_token": "</s>"}
    yield "chat", GEMMA, {"bos_token": "", "messages": [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " What? "}]}, {"role": "assistant", "content": 5}]}
    for template in TASKS:
        yield "harness", template, DOCUMENT
