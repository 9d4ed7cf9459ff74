import Storage
import TestSupport
import Testing

@Suite("Names of git")
struct GitBlobHashTests {
    private let folder = TemporaryFolder()

    /// From `git hash-object`; the lengths put the padding into each kind of last block.
    @Test(
        "contents have the name that git gives them",
        arguments: [
            (0, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
            (40, "8526bc792fa4c63286869b871b13dd0c233caae1"),
            (47, "9590bed81c57e0a00bac4f923703427b83ecc296"),
            (48, "4c954b38568dab3f0f619dd3db533d67a6a24489"),
            (56, "ce6d37c86555d38f5461afbe7f0b0f3373519a72"),
            (57, "594cf8a3966f3b4fc9569bd0f9f4003650683f3d"),
            (1000, "5bab7ca2f00700d948876448fd735ee860246ef4"),
        ])
    func names(count: Int, name: String) throws {
        let path = folder.write((0..<count).map { UInt8($0 % 251) }, to: "file")
        #expect(try GitBlobHash.hexadecimal(ofFile: path) == name)
    }
}
