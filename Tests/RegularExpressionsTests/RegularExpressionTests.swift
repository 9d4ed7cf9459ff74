import Testing

@testable import RegularExpressions

@Suite("Regular expressions")
struct RegularExpressionTests {
    /// A call of `re.sub` and what Python 3.11 gives.
    struct Substitution: CustomTestStringConvertible, Sendable {
        let pattern: String
        let text: String
        var template = "<\\g<0>>"
        let expected: String
        var testDescription: String { pattern }

        init(_ pattern: String, _ text: String, _ expected: String) {
            self.pattern = pattern
            self.text = text
            self.expected = expected
        }

        init(_ pattern: String, _ text: String, _ template: String, _ expected: String) {
            self.init(pattern, text, expected)
            self.template = template
        }
    }

    static let substitutions = [
        Substitution(#"x*"#, "axb", "-", "-a--b-"),
        Substitution(#"#### (\-?[0-9\.\,]+)"#, "so #### 1,234.", "\\1", "so 1,234."),
        Substitution(#"(?<=a)b"#, "ab cb", "a<b> cb"),
        Substitution(#"\bis\b"#, "this is", "this <is>"),
        Substitution(#"\B"#, "", ""),
        Substitution(#"a\Z"#, "a\na", "a\n<a>"),
        Substitution(#"a\Z"#, "a\n", "a\n"),
        Substitution(#"a$"#, "a\n", "<a>\n"),
        Substitution(#"(?m)^"#, "a\n", "<>a\n<>"),
        Substitution(#"\s+"#, "a\u{1c}\u{85}\u{180e}b", "a<\u{1c}\u{85}>\u{180e}b"),
        Substitution(#"[^\S\n]+"#, "a \t\nb", "a< \t>\nb"),
        Substitution(#"[\W_]+"#, "a_-é b", "a<_->é< >b"),
        Substitution(#"[^\Wa]+"#, "ab-c", "a<b>-<c>"),
        Substitution(#"\w+"#, "né½٣_", "<né½٣_>"),
        Substitution(#"a{,2}b"#, "aaab", "a<aab>"),
        Substitution(#"a{x}"#, "a{x}", "<a{x}>"),
        Substitution(#"[[:alpha:]]"#, "a:]", "a<:]>"),
        Substitution(#"\101\x42\u0043"#, "ABC", "<ABC>"),
        Substitution(#"(?P<d>\d)(?P=d)"#, "11 12", "\\g<d>", "1 12"),
        Substitution(#"(a)?(?(1)b|c)"#, "ab c b", "<ab> <c> b"),
        Substitution(#"(?i:A)b"#, "ab aB", "<ab> aB"),
        Substitution("(?x) a # letter\n b", "ab", "<ab>"),
        Substitution(#"a++b"#, "aab", "<aab>"),
        Substitution(#"(?>a|ab)c"#, "abc ac", "abc <ac>"),
        Substitution(#"(b)|a"#, "a", "[\\1]", "[]"),
        Substitution(#"(?s)a.b"#, "a\nb", "<a\nb>"),
        Substitution(#"."#, "\r\u{2028}\n", "<\r><\u{2028}>\n"),
        Substitution(#"é"#, "e\u{301}é", "e\u{301}<é>"),
        Substitution(#"[]a]+"#, "]a", "<]a>"),
    ]

    @Test("patterns mean what they mean in Python", arguments: Self.substitutions)
    func patternsMeanWhatTheyMeanInPython(_ x: Substitution) throws {
        let found = try RegularExpression(x.pattern).replacing(in: x.text, with: x.template)
        #expect(found.unicodeScalars.elementsEqual(x.expected.unicodeScalars), "\(found)")
    }

    @Test(
        "what Python refuses is refused",
        arguments: [
            "*", "a**", "^*", "(", ")", "[a", "a{2}{3}", #"\"#, #"(a\1)"#, #"\2(a)"#, "[b-a]",
            #"[a-\d]"#, "(?P<n>a)(?P<n>b)", "(?P=n)", #"\x4"#, "a{3,2}", "(?<=a+)b", "(?P<1>a)",
            "b(?i)a", #"\Qa\E"#, #"\K"#, "(?R)", "(*ACCEPT)", #"\p{L}"#, "(?'n'a)", "(?<n>a)",
            #"(?(2)a|b)"#,
        ])
    func whatPythonRefusesIsRefused(_ pattern: String) {
        #expect(throws: RegularExpressionError.self) { try RegularExpression(pattern) }
    }

    @Test("patterns that take for ever end with the limit's name")
    func patternsThatTakeForEverEnd() throws {
        let text = String(repeating: "a", count: 40) + "b"
        for pattern in ["(a|aa)+$", "(a+)+$", "(?:a?){40}a{40}$"] {
            var steps = 0
            #expect(throws: RegularExpressionError.tooMuch("steps", limit: 100_000)) {
                try RegularExpression(pattern).matches(in: text) { work in
                    steps += work
                    if steps > 100_000 {
                        throw RegularExpressionError.tooMuch("steps", limit: 100_000)
                    }
                }
            }
        }
        #expect(throws: RegularExpressionError.self) {
            try RegularExpression("(((a{1000}){1000}){1000})")
        }
        #expect(throws: RegularExpressionError.self) {
            try RegularExpression(
                String(repeating: "(", count: 1000) + String(repeating: ")", count: 1000))
        }
    }

    @Test("a pattern without a meter ends at PCRE2's own limit, with a sentence")
    func patternWithoutMeterEnds() throws {
        let pattern = try RegularExpression("(a|aa)+$")
        let error = try #require(throws: RegularExpressionError.self) {
            try pattern.matches(in: String(repeating: "a", count: 60) + "b")
        }
        #expect("\(error)" == "more than 10000000 steps back in a regular expression")
    }

    @Test("groups are ranges of bytes, and none where they took no part")
    func groupsAreRanges() throws {
        let matches = try RegularExpression("(é)|(b)").matches(in: "aéb")
        #expect(matches.map(\.groups) == [[1..<3, 1..<3, nil], [3..<4, nil, 3..<4]])
        #expect(try RegularExpression("a").matches(in: "aaa", limit: 2).count == 2)
    }
}
