import TestSupport
import Tokenization

/// What the reference libraries made of the corpus; see scripts/tokenization/make_fixtures.py.
struct Fixture: Decodable {
    struct RandomIDs: Decodable {
        let ids: [Int32]
        let decoded: String
        let skipped: String
    }

    let ids: [[Int32]]
    let decoded: [String?]
    let untrusted: [[Int32]?]
    let random: [RandomIDs]

    static let byteLevel = ["neox", "flags", "prefix", "whole", "ignore", "lossy", "unknown"]
    static let sentencePiece = ["llama", "unigram", "unigram_bytes", "char"]

    static func bytes(_ name: String) -> [UInt8] { rawContents(Fixtures.path(name)) }

    static func corpus() throws -> [String] {
        try Fixtures.decode([String].self, from: "corpus.json")
    }

    static func expected(_ name: String) throws -> Fixture {
        try Fixtures.decode(Fixture.self, from: "\(name).expected.json")
    }

    static func tokenizer(_ name: String) throws -> any Tokenizer {
        let file = byteLevel.contains(name) ? name : "\(name).model"
        return try TokenizerLoader.load(at: Fixtures.path(file)).tokenizer
    }
}

/// Whether two texts are the same bytes; `==` calls canonically equal ones equal.
func areSame(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
