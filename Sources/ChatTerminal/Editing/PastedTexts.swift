/// Long texts that stand under a short name in the line being edited.
///
/// A paste of 200 lines is shown as `[pasted 200 lines #1]`; the message gets all 200.
struct PastedTexts {
    /// Where a text comes from.
    enum Origin: String {
        /// The user pasted it.
        case pasted
        /// It is a message of before.
        case sent
    }

    /// The most lines that are shown as they are.
    static let shownLines = 8
    /// The most bytes that are shown as they are.
    static let shownBytes = 1000

    private var texts: [String: String] = [:]
    private var counts: [Origin: Int] = [:]

    /// What is put into the line for a text: the text, or a name for it.
    mutating func shown(_ text: String, from origin: Origin) -> String {
        let lines = text.utf8.count { $0 == 0x0A } + 1
        guard lines > Self.shownLines || text.utf8.count > Self.shownBytes else { return text }
        let size = lines > 1 ? "\(lines) lines" : "\(text.unicodeScalars.count) characters"
        counts[origin, default: 0] += 1
        let name = "[\(origin.rawValue) \(size) #\(counts[origin, default: 0])]"
        texts[name] = text
        return name
    }

    /// A line with the texts in place of their names.
    func expanded(_ line: String) -> String {
        guard !texts.isEmpty else { return line }
        var result = ""
        var rest = Substring(line)
        while let start = rest.firstIndex(of: "[") {
            result += rest[..<start]
            rest = rest[start...]
            let end = rest.firstIndex(of: "]").map(rest.index(after:)) ?? rest.endIndex
            let text = texts[String(rest[..<end])]
            // Of what is no name, another bracket may still begin one.
            result += text ?? "["
            rest = text == nil ? rest.dropFirst() : rest[end...]
        }
        return result + rest
    }
}
