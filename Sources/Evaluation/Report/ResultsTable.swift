import Python
import Storage

/// The tables of results that the harness prints.
public struct ResultsTable {
    /// How numbers are printed.
    public enum Style: Sendable {
        /// As the harness prints them: with as many decimals as a column needs.
        case harness
        /// With four decimals, always.
        case fourDecimals
    }

    private let results: EvaluationResults
    private let style: Style

    /// Prepares to print.
    ///
    /// - Parameters:
    ///   - results: What came out.
    ///   - style: How numbers are printed.
    public init(_ results: EvaluationResults, style: Style = .harness) {
        self.results = results
        self.style = style
    }

    /// The tables in Markdown, each with a blank line behind it.
    public var text: String {
        let groups = results.groups.filter { !$0.group.metrics.isEmpty }
        var text = table("Tasks", onlyGroups: false) + "\n"
        if !groups.isEmpty { text += table("Groups", onlyGroups: true) + "\n" }
        return text
    }

    private struct Line {
        var metric: String
        var filter: String
        var value: MarkdownTable.Cell
        var hasError: Bool
        var error: Double?
        var arrow: String
    }

    private func table(_ title: String, onlyGroups: Bool) -> String {
        var rows: [[MarkdownTable.Cell]] = []
        for (name, depth) in order(onlyGroups: onlyGroups) {
            guard let entry = entry(name) else { continue }
            var label = depth > 0 ? String(repeating: " ", count: depth) + "- " : ""
            label += entry.alias
            var (title, version) = (MarkdownTable.Cell.text(label), entry.version)
            for line in entry.lines {
                rows.append([
                    title, version, .text(line.filter), .text(entry.shots), .text(line.metric),
                    .text(line.arrow), line.value, .text(line.hasError ? "±" : ""),
                    .text(
                        line.hasError
                            ? line.error.map { PythonFloat.fixed($0, places: 4) } ?? "   N/A"
                            : ""),
                ])
                title = .text("")
                version = .text("")
            }
        }
        let headers = [
            title, "Version", "Filter", "n-shot", "Metric", "", "Value", "", "Stderr",
        ]
        return MarkdownTable(headers: headers, rows: rows, keepsTexts: style == .fourDecimals).text
    }

    /// The names in the order of display with their depth: groups first, members below.
    private func order(onlyGroups: Bool) -> [(name: String, depth: Int)] {
        let members = Dictionary(
            results.groups.map { ($0.group.name, $0.group.members) }
        ) { first, _ in first }
        var ordered: [(name: String, depth: Int)] = []
        var depths: Set<String> = []
        func visit(_ name: String, _ depth: Int) {
            depths.insert(name)
            let isGroup = members[name] != nil
            if !onlyGroups || isGroup { ordered.append((name, depth)) }
            for child in (members[name] ?? []).sorted(by: precedes) { visit(child, depth + 1) }
        }
        let children = Set(members.values.joined())
        for name in members.keys.sorted(by: precedes) where !children.contains(name) {
            visit(name, 0)
        }
        if !onlyGroups {
            for name in results.tasks.map(\.task.name).sorted(by: precedes)
            where !depths.contains(name) {
                ordered.append((name, 0))
            }
        }
        return ordered
    }

    private func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private func entry(
        _ name: String
    ) -> (alias: String, version: MarkdownTable.Cell, shots: String, lines: [Line])? {
        if let result = results.tasks.first(where: { $0.task.name == name }) {
            let lines = result.figures.map { figure in
                Line(
                    metric: figure.metric.name.rawValue, filter: figure.filter,
                    value: figure.isInteger
                        ? .number(figure.value)
                        : .text(PythonFloat.fixed(figure.value, places: 4)),
                    hasError: true, error: figure.error,
                    arrow: figure.metric.higherIsBetter.map { $0 ? "↑" : "↓" } ?? "")
            }
            let version: MarkdownTable.Cell =
                result.task.version.numberValue.map { .number($0) }
                ?? .text(result.task.version.stringValue ?? "")
            return (result.task.alias, version, "\(result.prepared.shots)", sorted(lines))
        }
        guard let group = results.groups.first(where: { $0.group.name == name }) else { return nil }
        let lines = group.figures.map { figure in
            let direction = group.higherIsBetter.first { $0.metric == figure.metric }?.value ?? nil
            return Line(
                metric: figure.metric, filter: figure.filter,
                value: .text(PythonFloat.fixed(figure.value, places: 4)), hasError: true,
                error: figure.error, arrow: direction.map { $0 ? "↑" : "↓" } ?? "")
        }
        return (
            group.group.alias, .text(group.group.version), group.shots.map { "\($0)" } ?? " ",
            sorted(lines)
        )
    }

    /// By the text "metric,filter".
    private func sorted(_ lines: [Line]) -> [Line] {
        lines.sorted { precedes("\($0.metric),\($0.filter)", "\($1.metric),\($1.filter)") }
    }
}

/// A table in Markdown, byte for byte as the library that the harness prints with makes it.
///
/// That library reads every column anew: texts that look like numbers become numbers, printed with as
/// many decimals as the column needs. After cells most of which were other text they stay as they are.
///
/// Source: pytablewriter 1.2.1, checked against its output.
struct MarkdownTable {
    /// What stands in a cell.
    enum Cell: Equatable {
        /// Text, perhaps of a number.
        case text(String)
        /// A number.
        case number(Double)
    }

    let headers: [String]
    let rows: [[Cell]]
    /// Whether texts stay as they are even where they look like numbers.
    var keepsTexts = false

    /// The table, each line with its end.
    var text: String {
        let columns = headers.indices.map { index in
            Column(headers[index], rows.map { $0[index] }, keepsTexts: keepsTexts)
        }
        var lines = [columns.map { $0.padded($0.header, .center) }]
        lines.append(
            columns.map { column in
                String(repeating: "-", count: column.width - (column.isNumeric ? 1 : 0))
                    + (column.isNumeric ? ":" : "")
            })
        for row in rows.indices { lines.append(columns.map { $0.text(row) }) }
        return lines.map { "|" + $0.joined(separator: "|") + "|\n" }.joined()
    }

    private enum Alignment { case left, right, center }

    private struct Column {
        let header: String
        private let cells: [Reading]
        private let decimals: Int
        private(set) var width = 3
        /// Whether all cells that are not blank are numbers, and one is not NaN.
        let isNumeric: Bool

        private enum Reading {
            case blank
            case text(String)
            case number(Double)
        }

        init(_ header: String, _ cells: [Cell], keepsTexts: Bool) {
            self.header = header
            var kinds = KindCounter()
            self.cells = cells.map { cell in
                let reading = Column.reading(cell, keepsTexts: keepsTexts || kinds.isMostlyText)
                kinds.count(reading)
                return reading
            }
            var (numbers, hasText, hasFinite) = ([Double](), false, false)
            for cell in self.cells {
                switch cell {
                case .blank: break
                case .text: hasText = true
                case .number(let value):
                    numbers.append(value)
                    if !value.isNaN { hasFinite = true }
                }
            }
            isNumeric = !hasText && hasFinite
            decimals = numbers.map(Column.decimals).max() ?? 0
            width = max(
                3, header.displayWidth, self.cells.map { shown($0).displayWidth }.max() ?? 0)
        }

        private static func reading(_ cell: Cell, keepsTexts: Bool) -> Reading {
            switch cell {
            case .number(let value): return .number(value)
            case .text(let text):
                if text.stripped.isEmpty { return .blank }
                if !keepsTexts, let value = number(text) { return .number(value) }
                return .text(text)
            }
        }

        /// Counts what the cells before were, by the library's kinds.
        private struct KindCounter {
            /// In the order in which kinds first came.
            private var counts: [(kind: Int, count: Int)] = []

            /// Whether texts are the most frequent kind; of equals, the one that came first.
            var isMostlyText: Bool {
                let most = counts.map(\.count).max()
                return counts.first { $0.count == most }?.kind == 0
            }

            mutating func count(_ reading: Reading) {
                let kind =
                    switch reading {
                    case .text: 0
                    case .blank: 1
                    case .number(let value):
                        value.isNaN ? 2 : value.isInfinite ? 3 : value == value.rounded() ? 4 : 5
                    }
                if let place = counts.firstIndex(where: { $0.kind == kind }) {
                    counts[place].count += 1
                } else {
                    counts.append((kind, 1))
                }
            }
        }

        func text(_ row: Int) -> String {
            switch cells[row] {
            case .number(let value) where isNumeric || value.isFinite:
                padded(shown(cells[row]), .right)
            default: padded(shown(cells[row]), .left)
            }
        }

        private func shown(_ cell: Reading) -> String {
            switch cell {
            case .blank: return ""
            case .text(let text): return text
            case .number(let value):
                if value.isNaN { return "NaN" }
                if value.isInfinite { return "Infinity" }
                let isWhole = value == value.rounded()
                return PythonFloat.fixed(value, places: isWhole && !isNumeric ? 0 : decimals)
            }
        }

        func padded(_ text: String, _ alignment: Alignment) -> String {
            let missing = max(0, width - text.displayWidth)
            let left =
                switch alignment {
                case .left: 0
                case .right: missing
                case .center: missing / 2
                }
            return String(repeating: " ", count: left) + text.replacing("|", with: "\\|", count: -1)
                + String(repeating: " ", count: missing - left)
        }

        /// How many decimals the shortest notation has.
        private static func decimals(_ value: Double) -> Int {
            guard value.isFinite, value != value.rounded() else { return 0 }
            // With 20 decimals at most, so that no exponent is in the way.
            let text = PythonFloat.repr(value)
            guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return 0 }
            let digits = text.utf8[point...].dropFirst().prefix { 0x30...0x39 ~= $0 }.count
            guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "e")) else { return digits }
            let exponent = Int(text[text.utf8.index(after: mark)...]) ?? 0
            return max(0, digits - exponent)
        }

        private static func number(_ text: String) -> Double? {
            let text = text.stripped
            switch text.lowercased() {
            case "nan": return .nan
            case "inf", "-inf", "infinity", "-infinity": return .infinity
            default: break
            }
            guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return nil }
            return Double(text)
        }
    }
}

extension String {
    /// How many columns of a terminal a text takes; marks that take none count as one, as in the
    /// library.
    var displayWidth: Int { unicodeScalars.reduce(0) { $0 + $1.displayWidth } }
}

extension Unicode.Scalar {
    fileprivate var displayWidth: Int {
        let wide: [ClosedRange<UInt32>] = [
            0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
            0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
        ]
        return wide.contains { $0 ~= value } ? 2 : 1
    }
}
