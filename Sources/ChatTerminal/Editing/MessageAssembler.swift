/// Puts messages together from lines.
///
/// | Line | Meaning |
/// |---|---|
/// | ends in one `\` | the next line belongs to it, on a line of its own |
/// | begins with `"""` | a block of lines up to one that ends in `"""` |
/// | `/set system """…` | the same for the text of a command |
/// | holds line ends (pasted, or found in the history) | one message as it is |
///
/// A lone `"""` inside a line, and two backslashes at its end, mean nothing.
struct MessageAssembler {
    /// The mark around a block.
    static let mark = "\"\"\""

    /// What stands before a block.
    private var opening = ""
    private var lines: [String] = []
    private var isInBlock = false

    /// Whether lines are missing.
    var isUnfinished: Bool { isInBlock || !lines.isEmpty }

    /// Takes a line.
    ///
    /// - Returns: The message, if the line completes one.
    mutating func push(_ line: String) -> String? {
        if isInBlock { return continueBlock(line) }
        if lines.isEmpty {
            if line.contains("\n") { return line }
            if let block = Self.block(in: line) {
                opening = block.opening
                isInBlock = true
                return block.rest.isEmpty ? nil : continueBlock(block.rest)
            }
        }
        guard Self.goesOn(line) else { return finish(with: line) }
        lines.append(String(line.dropLast()))
        return nil
    }

    /// Ends the message where it is, as at the end of a file.
    ///
    /// - Returns: What there is of it; `nil` if it is nothing, or a block that was never closed.
    mutating func end() -> String? {
        defer { cancel() }
        return isInBlock || lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    /// Forgets the lines so far.
    mutating func cancel() { (opening, lines, isInBlock) = ("", [], false) }

    /// The line of a mark holds text only if something stands beside the mark.
    private mutating func continueBlock(_ line: String) -> String? {
        if line.hasSuffix(Self.mark) {
            let last = line.dropLast(Self.mark.count)
            return finish(with: last.isEmpty ? nil : String(last))
        }
        lines.append(line)
        return nil
    }

    private mutating func finish(with last: String?) -> String {
        defer { cancel() }
        return opening + (lines + (last.map { [$0] } ?? [])).joined(separator: "\n")
    }

    /// The block that begins at the front of a line, or of what a command is given.
    private static func block(in line: String) -> (opening: String, rest: String)? {
        guard let range = line.firstRange(of: mark) else { return nil }
        let before = line[..<range.lowerBound]
        let rest = String(line[range.upperBound...])
        if before.allSatisfy(\.isWhitespace) { return ("", rest) }
        guard before.hasPrefix("/"), before.last?.isWhitespace == true else { return nil }
        return (String(before), rest)
    }

    private static func goesOn(_ line: String) -> Bool {
        line.reversed().prefix { $0 == "\\" }.count % 2 == 1
    }
}
