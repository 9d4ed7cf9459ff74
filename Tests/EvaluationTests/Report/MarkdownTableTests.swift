import Glibc
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

    @Test("fixed decimals are printf's")
    func fixedDecimalsArePrintfs() {
        let values: [Double] = [
            0, -0.0, 0.00005, 0.00015, 0.12345, 2.5, 3.5, 1e-300, .leastNonzeroMagnitude, 1e22,
            123_456_789.987_654,
            0.1, 0.99995, 9.99999, 1e15 / 7, -1.00005, 1.0 / 3, 8.5, .greatestFiniteMagnitude,
        ]
        for value in values {
            for decimals in [0, 1, 4, 7] {
                var buffer = [CChar](repeating: 0, count: 400)
                let count = withVaList([value]) {
                    vsnprintf(&buffer, buffer.count, "%.\(decimals)f", $0)
                }
                let expected = String(
                    decoding: buffer.prefix(Int(count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
                #expect(FixedDecimal.text(value, decimals: decimals) == expected)
            }
        }
        #expect(FixedDecimal.text(.nan, decimals: 4) == "nan")
        #expect(FixedDecimal.text(-.infinity, decimals: 4) == "-inf")
    }
}
