import Glibc
import Storage
import TestSupport
import Testing

/// A pipe that nobody wrote to held every command for ever; /dev/zero was read up to the limit.
@Suite("Files that are none")
struct SpecialFileTests {
    private let folder = TemporaryFolder()

    private func pipe() -> String {
        let path = folder.file("pipe")
        mkfifo(path, 0o600)
        return path
    }

    private func socket() -> String {
        let path = folder.file("socket")
        mknod(path, S_IFSOCK | 0o600, 0)
        return path
    }

    @Test("a pipe, a socket, a device and a folder are refused at once, whoever reads")
    func refused() {
        for path in [pipe(), socket(), "/dev/zero", "/dev/null", folder.path] {
            let expected = FileError.notRegular(file: path)
            #expect(throws: expected) { try ByteStream.contents(of: path) }
            #expect(throws: expected) { try LineReader(path: path) }
            #expect(throws: expected) { try SafetensorsFile(path: path) }
            #expect(throws: expected) { try SHA256.hexadecimal(ofFile: path) }
        }
    }

    @Test("lines and locks are not written to a pipe or a device")
    func refusedToWriters() {
        for path in [pipe(), socket(), "/dev/null"] {
            #expect(throws: FileError.notRegular(file: path)) { try LineAppender(path: path) }
        }
        let lock = folder.file(FolderLock.fileName)
        mkfifo(lock, 0o600)
        #expect(throws: FileError.notRegular(file: lock)) { try FolderLock(folder.path) }
    }

    /// Calls a body with the path of a pipe that brings a text.
    private func withPipe(_ text: String, _ body: (String) throws -> Void) rethrows {
        var ends: [Int32] = [0, 0]
        #expect(Glibc.pipe(&ends) == 0)
        defer { close(ends[0]) }
        #expect(write(ends[1], text, text.utf8.count) == text.utf8.count)
        close(ends[1])
        try body("/dev/fd/\(ends[0])")
    }

    @Test("a pipe of this process is read to its end, records as JSON lines")
    func ownPipe() throws {
        try withPipe("text") { path in
            let text = try ByteStream.text(of: path)
            #expect(text == "text")
        }
        try withPipe("{\"a\": 1}\n{}\n") { path in
            let records = try JSONRecords(path: path).all()
            #expect(records.map(\.object) == [["a": 1], [:]])
        }
    }
}
