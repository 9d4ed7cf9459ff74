import Testing

@testable import ChatTerminal

@Suite("Two columns")
struct ColumnsTests {
    @Test("texts are wrapped in their halves, the separator stays in place")
    func columns() {
        let lines = Columns.lines(
            ("off", "one two three"), ("on", "日本語 is\nJapan"), width: 19)
        #expect(
            lines == [
                "off      │ on", "─────────┼─────────", "one two  │ 日本語",
                "three    │ is", "         │ Japan",
            ])
    }
}
