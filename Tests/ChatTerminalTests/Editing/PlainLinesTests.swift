import Glibc
import Testing

@testable import ChatTerminal

@Suite("Lines of a pipe")
struct PlainLinesTests {
    private func lines(_ bytes: [UInt8]) -> [String] {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return [] }
        let (input, output) = (ends[0], ends[1])
        defer { close(input) }
        // What is written fits into a pipe.
        write(output, bytes, bytes.count)
        close(output)
        let source = PlainLines(input: input)
        var lines: [String] = []
        while case .line(let line) = source.read(prompt: "") { lines.append(line) }
        return lines
    }

    @Test("line ends of both kinds end lines, and so does the end of the input")
    func lineEnds() {
        #expect(lines(Array("a\n\nb\r\nc".utf8)) == ["a", "", "b", "c"])
        #expect(lines(Array("a\n".utf8)) == ["a"])
        #expect(lines([]) == [])
    }

    @Test("bytes that are not UTF-8 become U+FFFD")
    func invalid() {
        #expect(lines([0x61, 0xFF, 0x62, 0x0A, 0xC3]) == ["a\u{FFFD}b", "\u{FFFD}"])
    }

    @Test("a line may be long")
    func longLine() {
        let long = String(repeating: "é", count: 30_000)
        #expect(lines(Array((long + "\nx").utf8)) == [long, "x"])
    }
}
