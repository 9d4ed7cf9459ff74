import Testing

@testable import Reports

/// Texts that strangers could have written to break a page.
let hostileTexts = [
    "</script><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='x",
    "<!-- ]]> --> &amp; &lt;", "\u{0}\u{1B}[2J\u{7F}\u{85}", "\u{202E}gnirts\u{2066}x",
    "שלום עולם", "\u{FFFE}\u{FFFF}", String(repeating: "x", count: 5000), "{{7*7}}${x}`",
    "e" + String(repeating: "\u{301}", count: 500), "\u{2028}\u{2029}", "😀👨‍👩‍👧", "", " ",
]

@Suite("Markup")
struct MarkupTests {
    @Test("text is escaped between tags and in values", arguments: hostileTexts)
    func escaping(_ text: String) throws {
        let source = tag("p", ["title": text], Markup(text), "\(text)").source
        try HTMLCheck.check(source)
        #expect(!source.contains("<script") && !source.contains("<img"))
        #expect(source.components(of: "<") == 2, "\(source)")
        #expect(
            !source.unicodeScalars.contains { scalar in
                scalar.value < 0x20 && scalar != "\n" && scalar != "\t"
                    || (0x7F..<0xA0).contains(scalar.value) || scalar.value == 0x202E
            })
    }

    @Test("data in a script cannot end it", arguments: hostileTexts)
    func data(_ text: String) {
        let source = Markup.data(id: "x", json: "\"\(text)\"").source
        #expect(source.components(of: "<") == 2)
    }

    @Test("a page is well formed and names nothing outside itself")
    func page() throws {
        let page = Page(
            title: "a <b>", subtitle: "c & d",
            sections: [Page.note("x"), Page.command(["mtl-chat", "--prompt", "it's"])],
            data: [("charts", "{}")])
        try HTMLCheck.check(page.html)
        for word in ["http:", "https:", "src=", "url(", "@import"] {
            #expect(!page.html.contains(word), "\(word)")
        }
        #expect(page.html.contains("--prompt &#39;it&#39;\\&#39;&#39;s&#39;"))
    }

    @Test("signs stand for what cannot be seen in a token, and long ones are cut")
    func tokens() {
        #expect(VisibleText.token(" the\n\t") == "·the↵⇥")
        #expect(VisibleText.token("\u{200B}\u{0}") == "\u{FFFD}\u{2400}")
        #expect(VisibleText.token("") == "∅")
        #expect(VisibleText.token(String(repeating: "x", count: 99)).count == 25)
        #expect(
            VisibleText.token("e" + String(repeating: "\u{301}", count: 500)).unicodeScalars.count
                == 8)
        #expect(VisibleText.columns("a語😀") == 5)
    }

    @Test(
        "numbers read as people write them",
        arguments: [
            (14256.0, "14,256"), (0.37142, "0.3714"), (3.75e-5, "3.75e-5"), (0, "0"),
            (1.5, "1.5"), (99999.6, "100,000"), (0.99996, "1"), (-2.5, "−2.5"), (1e12, "1e12"),
            (.infinity, "infinite"), (.nan, "not a number"),
        ])
    func numbers(_ value: Double, _ text: String) {
        #expect(FigureText.short(value) == text)
    }

    @Test("durations, bytes and counts carry their units")
    func units() {
        #expect(FigureText.duration(seconds: 3.04) == "3.0 s")
        #expect(FigureText.duration(seconds: 200) == "3 min 20 s")
        #expect(FigureText.duration(seconds: 7500) == "2 h 5 min")
        #expect(FigureText.bytes(51_744_768) == "49.3 MiB")
        #expect(FigureText.bytes(0x1p31) == "2 GiB")
        #expect(FigureText.count(1, "token") == "1 token")
        #expect(FigureText.count(2001, "token") == "2,001 tokens")
    }
}

/// Whether a text is HTML in which every tag is closed, in order.
enum HTMLCheck {
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    static func check(_ html: String) throws {
        var open: [String] = []
        var rest = html.hasPrefix("<!doctype html>") ? html.dropFirst(15) : Substring(html)
        while let start = rest.firstIndex(of: "<") {
            let text = rest[..<start]
            guard !text.contains(">") else { throw Fault(description: "a sign '>' in a text") }
            try entities(text)
            guard let end = rest[start...].firstIndex(of: ">") else {
                throw Fault(description: "a tag without an end: \(rest[start...].prefix(80))")
            }
            let inside = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            let isEmpty = inside.hasSuffix("/")
            let name = String(inside.prefix { $0.isLetter || $0.isNumber || $0 == "/" })
            if name.hasPrefix("/") {
                guard open.popLast() == String(name.dropFirst()) else {
                    throw Fault(description: "<\(name)> closes nothing; open: \(open)")
                }
                continue
            }
            guard inside.count(where: { $0 == "\"" }) % 2 == 0 else {
                throw Fault(description: "quotes in <\(inside)>")
            }
            try entities(inside)
            guard !isEmpty else { continue }
            open.append(name)
            if name == "script" || name == "style" {
                guard let close = rest.firstRange(of: "</\(name)>") else {
                    throw Fault(description: "<\(name)> without an end")
                }
                rest = rest[close.lowerBound...]
            }
        }
        guard open.isEmpty else { throw Fault(description: "left open: \(open)") }
    }

    private static func entities(_ text: Substring) throws {
        for part in text.split(separator: "&", omittingEmptySubsequences: false).dropFirst() {
            let known = ["amp;", "lt;", "gt;", "quot;", "#39;"].contains { part.hasPrefix($0) }
            guard known else { throw Fault(description: "a bare '&' before \(part.prefix(20))") }
        }
    }
}

extension String {
    /// How often a sign stands in the text.
    func components(of sign: Unicode.Scalar) -> Int { unicodeScalars.count { $0 == sign } }
}
