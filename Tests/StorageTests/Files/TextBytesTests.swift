import Storage
import TestSupport
import Testing

@Suite("Texts of any system")
struct TextBytesTests {
    @Test("byte order mark and carriage returns before line feeds are dropped")
    func windows() throws {
        let bytes = Array("\u{FEFF}a\r\nb\rc\u{FEFF}\r\n".utf8)
        #expect(try TextBytes.decode(bytes, file: "a") == "a\nb\rc\u{FEFF}\n")
        #expect(try TextBytes.decode([], file: "a") == "")
        let folder = TemporaryFolder()
        let path = folder.write("\u{FEFF}x\r\n", to: "a.txt")
        #expect(try ByteStream.text(of: path) == "x\n")
    }

    @Test("bytes that are not UTF-8 are an error with their place")
    func notUTF8() {
        let bytes = Array("ab\nc".utf8) + [0xFF]
        #expect(throws: FileError.notUTF8(file: "standard input", line: 2, byte: 2)) {
            try TextBytes.decode(bytes, file: "standard input")
        }
    }
}
