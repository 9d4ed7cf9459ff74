import FoundationEssentials
import Storage

/// The frame of every page: one file, with style and script of its own and nothing from elsewhere.
///
/// A policy in the page forbids browsers to load anything, and to run any script but this program's.
struct Page {
    /// The title, in the window's bar and at the top.
    var title: String
    /// One line below the title.
    var subtitle: String
    /// The content.
    var sections: [Markup]
    /// Data for the script, by the element's name.
    var data: [(id: String, json: String)] = []

    /// The whole page.
    var html: String {
        let style = String(decoding: PackageResources.report_css, as: UTF8.self)
        let script = String(decoding: PackageResources.report_js, as: UTF8.self)
        let policy =
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
            + "script-src 'sha256-\(Self.base64Hash(of: script))'"
        let head: [Markup] = [
            tag("meta", ["charset": "utf-8"]),
            tag("meta", ["http-equiv": "Content-Security-Policy", "content": policy]),
            tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
            tag("meta", ["name": "color-scheme", "content": "light dark"]),
            tag("meta", ["name": "generator", "content": "MambaTreeL"]),
            tag("title", [:], Markup(title)), .own("style", style),
        ]
        let body = tag(
            "main", [:],
            tag(
                "header", [:], tag("h1", [:], Markup(title)),
                tag("p", ["class": "lead"], Markup(subtitle))),
            Markup(sections))
        return tag(
            "html", ["lang": "en"], tag("head", [:], Markup(head)),
            tag(
                "body", [:], body, Markup(data.map { .data(id: $0.id, json: $0.json) }),
                .own("script", script))
        ).document
    }

    private static func base64Hash(of text: String) -> String {
        let digits = Array(SHA256.hexadecimal(of: text).utf8)
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
        return Data(bytes).base64EncodedString()
    }
}

extension Page {
    /// A part of the page under a heading.
    static func section(_ title: String, _ content: Markup...) -> Markup {
        tag("section", [:], tag("h2", [:], Markup(title)), Markup(content))
    }

    /// A note in small letters.
    static func note(_ text: String) -> Markup { tag("p", ["class": "note"], Markup(text)) }

    /// Figures side by side, each a number over what it says.
    static func tiles(_ tiles: [(value: String, label: String)]) -> Markup {
        tag(
            "dl", ["class": "tiles"],
            Markup(
                tiles.map { tile in
                    tag(
                        "div", [:], tag("dt", [:], Markup(tile.label)),
                        tag("dd", [:], Markup(tile.value)))
                }))
    }

    /// Names and values, one pair a row.
    static func facts(_ facts: [(name: String, value: String)], areMany: Bool = false) -> Markup {
        tag(
            "dl", ["class": areMany ? "facts long" : "facts"],
            Markup(
                facts.map { fact in
                    tag(
                        "div", [:], tag("dt", [:], Markup(fact.name)),
                        tag("dd", [:], Markup(fact.value)))
                }))
    }

    /// A table that scrolls in its own frame where the page is narrow.
    ///
    /// - Parameters:
    ///   - head: The columns' names.
    ///   - rows: One cell a column.
    ///   - texts: The columns that hold text; the others' numbers stand right.
    /// - Returns: The table.
    static func table(head: [String], rows: [[Markup]], texts: Set<Int> = [0]) -> Markup {
        table(head: head, groups: [(title: [], rows: rows)], texts: texts)
    }

    /// A table whose rows stand in groups, each below its title if it has one.
    static func table(
        head: [String], groups: [(title: Markup, rows: [[Markup]])], texts: Set<Int> = [0]
    ) -> Markup {
        func kind(_ column: Int) -> KeyValuePairs<String, String> {
            texts.contains(column) ? [:] : ["class": "number"]
        }
        let header = head.enumerated().map { tag("th", kind($0.offset), Markup($0.element)) }
        let bodies = groups.map { group in
            let title =
                group.title == []
                ? []
                : tag(
                    "tr", ["class": "group"],
                    tag("th", ["colspan": "\(head.count)", "scope": "rowgroup"], group.title))
            let rows = group.rows.map { row in
                tag(
                    "tr", [:],
                    Markup(row.enumerated().map { tag("td", kind($0.offset), $0.element) }))
            }
            return tag("tbody", [:], title, Markup(rows))
        }
        return tag(
            "div", ["class": "scroll", "tabindex": "0"],
            tag(
                "table", [:], tag("thead", [:], tag("tr", [:], Markup(header))), Markup(bodies)))
    }

    /// Something that is shown when it is asked for.
    static func details(_ summary: String, _ content: Markup...) -> Markup {
        tag("details", [:], tag("summary", [:], Markup(summary)), Markup(content))
    }

    /// A text from outside, its line ends kept.
    static func quotation(_ text: String) -> Markup {
        tag("div", ["class": "quotation", "dir": "auto"], Markup(text))
    }

    /// A command to be typed.
    static func command(_ words: [String]) -> Markup {
        tag("pre", ["class": "command"], tag("code", [:], Markup(ShellText.line(words))))
    }
}
