/// The text in single quotes, on one line: control characters escaped, long text cut.
func quoted(_ text: String) -> String { "'\(oneLine(text, limit: 200))'" }

/// A path as it stands in front of a message, on one line.
func quotedPath(_ path: String) -> String { oneLine(path, limit: 4096) }

private func oneLine(_ text: String, limit: Int) -> String {
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
