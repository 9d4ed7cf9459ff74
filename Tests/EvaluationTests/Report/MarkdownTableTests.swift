import Storage
import Testing

@testable import Evaluation

@Suite("Markdown table")
struct MarkdownTableTests {
    @Test("tables are byte for byte those of the harness's library")
    func tablesAreTheLibrarys() throws {
        let headers = [
            "Tasks", "Version", "Filter", "n-shot", "Metric", "", "Value", "", "Stderr",
        ]
        let cases = try Fixture.json("tables.json").elements
        #expect(cases.count == 150)
        for item in cases {
            let rows = try item.member("rows").elements.map { row in
                row.elements.map { cell -> MarkdownTable.Cell in
                    cell.numberValue.map { .number($0) } ?? .text(cell.stringValue ?? "")
                }
            }
            let table = MarkdownTable(headers: headers, rows: rows)
            #expect(table.text == item["table"]?.stringValue, "\(rows)")
        }
    }
}
