/// A piece of HTML or SVG that is well formed by construction.
///
/// Text becomes markup by escaping and no other way: a string literal, interpolations included, is text.
///
///     tag("p", ["class": "note"], "\(count) tokens of ", tag("em", prompt))
struct Markup: Equatable, Sendable {
    /// The markup, to be written as it is.
    private(set) var source: String

    private init(source: String) { self.source = source }

    /// A text.
    init(_ text: String) { source = Self.escaped(text) }

    /// Pieces one after the other.
    init(_ parts: [Markup]) {
        self.init(source: parts.reduce(into: "") { $0 += $1.source })
    }

    /// An element.
    fileprivate init(
        _ name: String, _ attributes: KeyValuePairs<String, String>, _ content: [Markup]
    ) {
        var source = "<" + name
        for (key, value) in attributes { source += " \(key)=\"\(Self.escaped(value))\"" }
        if content.isEmpty, Self.emptyElements.contains(name) {
            source += "/>"
        } else {
            source += ">"
            for part in content { source += part.source }
            source += "</\(name)>"
        }
        self.init(source: source)
    }

    /// Elements that have no content and no end tag.
    private static let emptyElements: Set<String> = [
        "br", "hr", "input", "meta", "line", "path", "rect", "circle",
    ]

    /// A style sheet or a script of this program's own, as it stands: neither may hold `</`.
    static func own(_ name: String, _ text: String) -> Markup {
        precondition(!text.contains("</"), "a \(name) element holds an end tag")
        return Markup(source: "<\(name)>\(text)</\(name)>")
    }

    /// Data for the page's script: a JSON text, in which no sign can end the element.
    static func data(id: String, json: String) -> Markup {
        let safe = json.replacing("&", with: "\\u0026").replacing("<", with: "\\u003c")
            .replacing(">", with: "\\u003e")
        return Markup(
            source: "<script type=\"application/json\" id=\"\(escaped(id))\">\(safe)</script>")
    }

    /// The markup as a document of its own.
    var document: String { "<!doctype html>\n" + source + "\n" }

    /// The text as it stands between tags and in quoted values.
    ///
    /// What HTML cannot hold becomes visible: control characters as their pictures, and the marks that turn
    /// the direction of all that follows as U+FFFD.
    private static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x26: result.append(contentsOf: "&amp;".unicodeScalars)
            case 0x3C: result.append(contentsOf: "&lt;".unicodeScalars)
            case 0x3E: result.append(contentsOf: "&gt;".unicodeScalars)
            case 0x22: result.append(contentsOf: "&quot;".unicodeScalars)
            case 0x27: result.append(contentsOf: "&#39;".unicodeScalars)
            case 0x09, 0x0A: result.append(scalar)
            default: result.append(VisibleText.sign(for: scalar))
            }
        }
        return String(result)
    }
}

extension Markup: ExpressibleByStringInterpolation, ExpressibleByArrayLiteral {
    /// A text.
    init(stringLiteral text: String) { self.init(text) }

    /// Pieces one after the other.
    init(arrayLiteral parts: Markup...) { self.init(parts) }
}

/// An element of HTML or SVG.
///
/// - Parameters:
///   - name: Its name, and the names of attributes, are this program's own.
///   - attributes: Their values are escaped.
///   - content: What is in it.
/// - Returns: The element.
func tag(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: Markup...
) -> Markup {
    Markup(name, attributes, content)
}

/// Texts from outside as a person can see them.
enum VisibleText {
    /// A token on one line: blanks, line ends and what cannot be seen as signs, a long one cut.
    static func token(_ text: String, limit: Int = 24) -> String {
        var (result, count) = ("", 0)
        for character in text {
            if count == limit { return result + "…" }
            switch character {
            case " ": result += "·"
            case "\n", "\r\n", "\r": result += "↵"
            case "\t": result += "⇥"
            default:
                // A letter may carry any number of marks; a few are enough to be read.
                for scalar in character.unicodeScalars.prefix(8) {
                    result.unicodeScalars.append(
                        isInvisible(scalar) ? "\u{FFFD}" : sign(for: scalar))
                }
            }
            count += 1
        }
        return result.isEmpty ? "∅" : result
    }

    /// A scalar, or a visible one in place of what would steer the page or be no HTML.
    static func sign(for scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case ..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}"
        case 0x7F: "\u{2421}"
        case 0x80..<0xA0, 0x202A...0x202E, 0x2066...0x2069: "\u{FFFD}"
        case let value where value & 0xFFFE == 0xFFFE || (0xFDD0...0xFDEF).contains(value):
            "\u{FFFD}"
        default: scalar
        }
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar != "\u{200D}" && scalar.properties.generalCategory == .format
    }

    /// The columns of a text in a font of fixed width, a wide character taking two.
    static func columns(_ text: String) -> Int {
        text.reduce(0) { sum, character in
            let first = character.unicodeScalars.first?.value ?? 0
            let isWide =
                (0x1100...0x115F).contains(first) || (0x2E80...0xA4CF).contains(first)
                || (0xAC00...0xD7A3).contains(first) || (0xF900...0xFAFF).contains(first)
                || (0xFE30...0xFE6F).contains(first) || (0xFF00...0xFF60).contains(first)
                || first >= 0x1F000
            return sum + (isWide ? 2 : 1)
        }
    }
}
