import FoundationEssentials
import TestSupport
import Testing

@testable import Storage

@Suite("SHA-256")
struct SHA256Tests {
    @Test(
        "the hash is that of the standard",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ])
    func hash(text: String, expected: String) {
        #expect(SHA256.hexadecimal(of: text) == expected)
    }

    @Test("pieces give the hash of the whole, wherever they are cut")
    func pieces() {
        let bytes = (0..<200).map { UInt8($0) }
        var hash = SHA256()
        hash.update(bytes)
        let whole = hash.hexadecimal()
        for cut in [1, 55, 56, 63, 64, 65, 127, 128, 199] {
            var hash = SHA256()
            hash.update(Array(bytes[..<cut]))
            hash.update(Array(bytes[cut...]))
            let text = hash.hexadecimal()
            #expect(text == whole, "cut at \(cut)")
        }
    }

    @Test("integers count as their bytes, a file as its content")
    func integersAndFiles() throws {
        let bytes: [UInt8] = [1, 2, 3, 4, 0xFF, 0xFF, 0xFF, 0xFF]
        var ofBytes = SHA256()
        ofBytes.update(bytes)
        let expected = ofBytes.hexadecimal()
        var ofIntegers = SHA256()
        ofIntegers.update([0x0403_0201, -1] as [Int32])
        let found = ofIntegers.hexadecimal()
        #expect(found == expected)
        let folder = TemporaryFolder()
        try Data(bytes).write(to: URL(filePath: folder.file("a")))
        #expect(try SHA256.hexadecimal(ofFile: folder.file("a")) == expected)
    }
}
