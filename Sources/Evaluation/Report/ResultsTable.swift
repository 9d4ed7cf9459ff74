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
        (self.results, self.style) = (results, style)
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
                (title, version) = (.text(""), .text(""))
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
                    metric: figure.metric.name.rawValue, filter: "none",
                    value: figure.isInteger
                        ? .number(figure.value)
                        : .text(PythonFloat.fixed(figure.value, places: 4)),
                    hasError: true, error: figure.error,
                    arrow: figure.metric.higherIsBetter ? "↑" : "↓")
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
