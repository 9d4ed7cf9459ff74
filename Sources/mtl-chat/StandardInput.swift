/// What is piped into the program.
enum StandardInput {
    /// All of it, without the last line feed.
    static func all() -> String {
        var text = ""
        while let line = readLine(strippingNewline: false) { text += line }
        return text.last == "\n" ? String(text.dropLast()) : text
    }
}
