import Python
import Storage

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
