import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("Byte stream")
struct ByteStreamTests {
    let folder = TemporaryFolder()

    /// `hello\n` with a checksum and `world` without, by the zstd command 1.5.4.
    static let hello: [UInt8] = [
        0x28, 0xB5, 0x2F, 0xFD, 0x04, 0x58, 0x31, 0x00, 0x00, 0x68, 0x65, 0x6C, 0x6C, 0x6F, 0x0A,
        0x53, 0x88, 0xBD, 0x91,
    ]
    static let world: [UInt8] = [
        0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, 0x29, 0x00, 0x00, 0x77, 0x6F, 0x72, 0x6C, 0x64,
    ]
    static let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 9, 9, 9]

    private func contents(
        _ bytes: [UInt8], name: String = "a.zst", limit: Int = 1 << 20
    ) throws -> String {
        let path = folder.write(bytes, to: name)
        return String(decoding: try ByteStream.contents(of: path, limit: limit), as: UTF8.self)
    }

    @Test("frames in a row are one text, by name or by mark")
    func frames() throws {
        #expect(try contents(Self.hello) == "hello\n")
        #expect(try contents(Self.hello + Self.world) == "hello\nworld")
        #expect(try contents(Self.hello + Self.world, name: "a.jsonl") == "hello\nworld")
        #expect(
            try contents(Self.skippable + Self.hello + Self.skippable + Self.world)
                == "hello\nworld")
    }

    @Test("a text is read as on Linux, and bytes that are not UTF-8 are found")
    func text() throws {
        let path = folder.write("\u{FEFF}é\r\n日\n", to: "a")
        #expect(try ByteStream.text(of: path).utf8.elementsEqual("é\n日\n".utf8))
        for (bytes, line, byte) in [
            ([0xFF], 1, 1), ([0x61, 0x0A, 0x0A, 0x62, 0xE9], 3, 2), ([0x0A, 0xC0], 2, 1),
        ] as [([UInt8], Int, Int)] {
            folder.write(bytes, to: "a")
            #expect(throws: FileError.notUTF8(file: path, line: line, byte: byte)) {
                try ByteStream.text(of: path)
            }
        }
    }

    @Test("plain files are taken as they are")
    func plain() throws {
        #expect(try contents([], name: "a") == "")
        #expect(try contents(Array("x".utf8), name: "a") == "x")
        #expect(try contents(Self.skippable, name: "a").utf8.elementsEqual(Self.skippable))
    }

    @Test("every truncation of two frames is an error, but the one between them")
    func truncation() throws {
        let bytes = Self.hello + Self.world
        for count in 4..<bytes.count where count != Self.hello.count {
            let error = FileError.truncatedFrame(file: folder.file("a.zst"), offset: count)
            #expect(throws: error, "\(count) bytes") { try contents(Array(bytes[..<count])) }
        }
        #expect(try contents(Self.hello) == "hello\n")
        for count in 0..<4 {
            #expect(throws: FileError.notZstandard(file: folder.file("a.zst"))) {
                try contents(Array(bytes[..<count]))
            }
        }
    }

    @Test("a long stream cut at any point never gives more than its beginning")
    func longTruncation() throws {
        var generator = SeededGenerator(seed: 3)
        let content = (0..<600_000).map { _ in UInt8(generator.next() % 16) }
        let path = folder.file("long.zst")
        try AtomicFile.write(to: path, compression: .zstd(level: 1)) { try $0.write(content) }
        let bytes = rawContents(path)
        #expect(try ByteStream.contents(of: path) == content)
        for count in stride(from: 5, to: bytes.count, by: bytes.count / 20) {
            let cut = folder.write(bytes[..<count], to: "cut.zst")
            #expect(throws: FileError.truncatedFrame(file: cut, offset: count)) {
                try ByteStream.contents(of: cut)
            }
        }
    }

    @Test("damage is an error with the place")
    func damage() {
        var bytes = Self.hello
        bytes[16] ^= 1
        #expect {
            try contents(bytes)
        } throws: {
            guard case FileError.badFrame(folder.file("a.zst"), _, let reason) = $0 else {
                return false
            }
            return reason.contains("checksum")
        }
        #expect {
            try contents(Self.hello + Array("junk".utf8))
        } throws: {
            guard case FileError.badFrame(_, Self.hello.count, _) = $0 else { return false }
            return true
        }
    }

    @Test("a window of 128 MiB is accepted, one of 256 MiB refused")
    func window() throws {
        // An empty last block behind a header that asks for the window.
        let frame = { (exponent: UInt8) -> [UInt8] in
            [0x28, 0xB5, 0x2F, 0xFD, 0, exponent << 3, 1, 0, 0]
        }
        #expect(try contents(frame(27 - 10)) == "")
        #expect {
            try contents(frame(28 - 10))
        } throws: {
            guard case FileError.badFrame(_, _, let reason) = $0 else { return false }
            return reason.contains("too much memory")
        }
    }

    @Test("the limit holds for the content, not for the file")
    func limit() throws {
        let path = folder.file("zeros.zst")
        try AtomicFile.write(to: path, compression: .zstd(level: 3)) {
            try $0.write([UInt8](repeating: 0, count: 1 << 20))
        }
        #expect(rawContents(path).count < 1000)
        #expect(try ByteStream.contents(of: path, limit: 1 << 20).count == 1 << 20)
        #expect(throws: FileError.tooLong(file: path, limit: (1 << 20) - 1)) {
            try ByteStream.contents(of: path, limit: (1 << 20) - 1)
        }
    }

    @Test("missing files, folders and zero bytes are errors")
    func badPaths() {
        let missing = folder.file("none")
        #expect(throws: FileError.system(file: missing, action: "open", code: ENOENT)) {
            try ByteStream(path: missing)
        }
        #expect(throws: FileError.notRegular(file: folder.path)) {
            try ByteStream(path: folder.path)
        }
        let path = folder.write("x", to: "a") + "\0b"
        #expect(throws: FileError.system(file: path, action: "open", code: EINVAL)) {
            try ByteStream(path: path)
        }
    }
}
