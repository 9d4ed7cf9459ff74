import TestSupport
import Testing

@testable import Storage

@Suite("Line reader")
struct LineReaderTests {
    let folder = TemporaryFolder()

    private func lines(_ bytes: some Collection<UInt8>, limit: Int = 64 << 20) throws -> [String] {
        let reader = try LineReader(path: folder.write(bytes, to: "a.txt"), lineLimit: limit)
        var result: [String] = []
        while let line = try reader.next() {
            #expect(line.number == result.count + 1)
            result.append(line.text)
        }
        #expect(try reader.next() == nil)
        return result
    }

    @Test(
        "lines end with a line feed and nothing else",
        arguments: [
            ("", []),
            ("\n", [""]),
            ("a", ["a"]),
            ("a\n", ["a"]),
            ("a\nb", ["a", "b"]),
            ("a\n\nb\n", ["a", "", "b"]),
            ("a\r\nb\r\r\nc\r", ["a", "b\r", "c"]),
            (
                "a\rb\u{85}c\u{2028}d\u{2029}e\u{B}f\u{C}g\u{1C}h\nz",
                [
                    "a\rb\u{85}c\u{2028}d\u{2029}e\u{B}f\u{C}g\u{1C}h", "z",
                ]
            ),
            ("\u{FEFF}a\n\u{FEFF}b", ["a", "\u{FEFF}b"]),
            ("\u{FEFF}", [""]),
            ("a\0b\n", ["a\0b"]),
        ] as [(String, [String])])
    func linesEnd(text: String, expected: [String]) throws {
        #expect(try lines(text.utf8).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
    }

    @Test("lines across the edges of the buffer are whole")
    func longLines() throws {
        let expected = [0, 1, 131_070, 131_071, 131_072, 131_073, 400_000, 3].enumerated().map {
            String(repeating: Character(Unicode.Scalar(UInt8(97 + $0.offset))), count: $0.element)
        }
        #expect(try lines(expected.joined(separator: "\n").utf8) == expected)
    }

    @Test("a line may be as long as the limit and not longer")
    func lineLimit() throws {
        #expect(try lines("ab\nabc\nabc".utf8, limit: 3) == ["ab", "abc", "abc"])
        let error = { (line: Int) in
            FileError.lineTooLong(file: self.folder.file("a.txt"), line: line, limit: 3)
        }
        #expect(throws: error(2)) { try lines("abc\nabcd\n".utf8, limit: 3) }
        #expect(throws: error(1)) { try lines("abcd".utf8, limit: 3) }
        #expect(throws: error(1)) {
            try lines(repeatElement(UInt8(ascii: "x"), count: 1 << 20), limit: 3)
        }
    }

    @Test(
        "what is not UTF-8 is refused with line and byte",
        arguments: [
            [0x80], [0xFF], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC3, 0x28], [0xE2, 0x28, 0xA1],
            [0xE2, 0x82, 0x28], [0xF0, 0x9F, 0x98, 0x28],
        ] as [[UInt8]])
    func notUTF8(bytes: [UInt8]) {
        let error = FileError.notUTF8(file: folder.file("a.txt"), line: 2, byte: 12)
        #expect(throws: error) {
            try lines(Array("good\n0123456789é".utf8.dropLast(2)) + [0x61] + bytes)
        }
        #expect(throws: error) {
            try lines(Array("good\n01234567890".utf8) + bytes + Array("\nmore".utf8))
        }
    }

    @Test("the check agrees with the standard library on random bytes")
    func agreement() {
        var generator = SeededGenerator(seed: 5)
        let alphabet: [UInt8] = [
            0x61, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF,
            0xF0,
            0xF1, 0xF4, 0xF5,
        ]
        var valid = 0
        for _ in 0..<200_000 {
            let bytes = (0..<4).map { _ in alphabet[Int(generator.next() % 18)] }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            valid += isValid ? 1 : 0
            #expect(
                bytes.withUnsafeBufferPointer { UTF8Check.firstInvalid(in: $0) == nil } == isValid)
        }
        #expect(valid > 1000)
    }
}
