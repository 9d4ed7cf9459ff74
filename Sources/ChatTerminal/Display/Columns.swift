import CommandSupport

/// Two texts side by side, each wrapped in its own half.
enum Columns {
    /// The least width of a terminal on which two columns are readable.
    static let leastWidth = 60
    private static let gap = " │ "

    /// The lines of two texts under their titles.
    ///
    /// - Parameters:
    ///   - left: Title and text on the left.
    ///   - right: Title and text on the right.
    ///   - width: The columns of a line.
    /// - Returns: The lines, without spaces at their ends.
    static func lines(
        _ left: (title: String, text: String), _ right: (title: String, text: String), width: Int
    ) -> [String] {
        let half = max((width - gap.count) / 2, 1)
        let texts = [left, right].map { column(title: $0.title, text: $0.text, width: half) }
        return (0..<max(texts[0].count, texts[1].count)).map { row in
            let (start, end) = (cell(texts[0], row), cell(texts[1], row))
            return trimmed(padded(start, to: half) + (row == 1 ? "─┼─" : gap) + end)
        }
    }

    private static func column(title: String, text: String, width: Int) -> [String] {
        let title = WordWrap.lines(of: title, width: width).first ?? ""
        return [title, String(repeating: "─", count: width)]
            + WordWrap.lines(of: text, width: width)
    }

    private static func cell(_ lines: [String], _ row: Int) -> String {
        row < lines.count ? lines[row] : ""
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - DisplayWidth.of(text)))
    }

    private static func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }
}
