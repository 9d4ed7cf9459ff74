/// The text in single quotes, on one line: control characters escaped, long text cut.
package func quoted(_ text: String) -> String { "'\(oneLine(text))'" }

/// A path as it stands in front of a message, on one line.
package func quotedPath(_ path: String) -> String { oneLine(path, limit: 4096) }

/// A text from a file on one line: control characters escaped, long text cut.
package func oneLine(_ text: String, limit: Int = 200) -> String {
    var result = ""
    for (count, scalar) in text.unicodeScalars.enumerated() {
        if count == limit { return result + "…" }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
