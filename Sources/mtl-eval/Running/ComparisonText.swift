import CommandSupport
import Evaluation
import Python

/// Paired comparisons as a Markdown table.
enum ComparisonText {
    static func render(_ comparisons: [PairedComparison]) -> String {
        let header = [
            "Task", "Metric", "Items", "First", "Second", "Difference", "Error", "Only first",
            "Only second", "p",
        ]
        let rows = comparisons.map { x in
            [
                x.task, x.metric, "\(x.documents)", number(x.first), number(x.second),
                (x.difference >= 0 ? "+" : "") + number(x.difference),
                x.error.map(number) ?? "N/A", x.onlyFirst.map { "\($0)" } ?? "",
                x.onlySecond.map { "\($0)" } ?? "", x.pValue.map(number) ?? "",
            ]
        }
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            "|"
                + zip(cells, widths).enumerated().map { column, cell in
                    let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                    return column < 2 ? cell.0 + padding : padding + cell.0
                }.joined(separator: "|") + "|"
        }
        let rule =
            "|"
            + widths.enumerated().map { column, width in
                String(repeating: "-", count: width - (column < 2 ? 0 : 1))
                    + (column < 2 ? "" : ":")
            }.joined(separator: "|") + "|"
        return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
    }

    private static func number(_ value: Double) -> String { PythonFloat.fixed(value, places: 4) }
}
