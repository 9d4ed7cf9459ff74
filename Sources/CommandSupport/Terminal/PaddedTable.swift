/// A table of texts in columns of equal width, as Markdown has it.
public enum PaddedTable {
    /// Lays a table out.
    ///
    /// - Parameters:
    ///   - header: The columns' names.
    ///   - rows: As many cells each.
    ///   - leftColumns: How many columns stand on the left; the others hold numbers.
    /// - Returns: Lines without an end after the last.
    public static func markdown(
        header: [String], _ rows: [[String]], leftColumns: Int
    ) -> String {
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            "|"
                + zip(cells, widths).enumerated().map { column, cell in
                    let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                    return column < leftColumns ? cell.0 + padding : padding + cell.0
                }.joined(separator: "|") + "|"
        }
        let rule =
            "|"
            + widths.enumerated().map { column, width in
                String(repeating: "-", count: width - (column < leftColumns ? 0 : 1))
                    + (column < leftColumns ? "" : ":")
            }.joined(separator: "|") + "|"
        return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
    }
}
