import Glibc
import Storage
import TestSupport
import Testing

@testable import Hub

/// A pipe that nobody wrote to held every command for ever, since each looks for a token at its start.
@Suite("Pipes in the hub's cache")
struct SpecialFileTests {
    private let folder = TemporaryFolder()

    @Test("a pipe in place of the token's file holds no token")
    func token() {
        let path = folder.file("token")
        mkfifo(path, 0o600)
        #expect(HubEnvironment(["HF_HOME": folder.path]).token == nil)
        unlink(path)
        folder.write("  word \nmore", to: "token")
        #expect(HubEnvironment(["HF_HOME": folder.path]).token == "word")
    }

    @Test("a pipe in place of an interrupted download is refused")
    func download() {
        let path = folder.file("blob.incomplete")
        mkfifo(path, 0o600)
        #expect(throws: FileError.notRegular(file: path)) { try AppendedFile(path) }
    }
}
