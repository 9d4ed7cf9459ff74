/// The most probable segmentation of normalised text by a unigram model.
///
/// Source: Kudo, 2018, section 3.2; `Model::EncodeOptimized` of the SentencePiece library. The
/// library does this too, but up to 0.1.99 it compares sums in double with sums stored in single
/// precision, and so breaks ties by rounding. Here all sums are in single precision and the first
/// of equal ones stays, which gives the ids of release 0.2.3.
struct UnigramSegmenter {
    private var trie = ByteTrie()
    private var scores: [Float]
    private let unknownScore: Float
    private let unknownID: Int32
    /// The piece of every byte; empty without byte fallback.
    private var byteIDs: [Int32] = []

    /// How much worse an unknown character is than the least probable piece.
    private static let unknownPenalty: Float = 10

    /// Prepares the pieces of a model.
    ///
    /// - Parameters:
    ///   - file: The model.
    ///   - unknownID: The id of unknown text.
    init(_ file: SentencePieceFile, unknownID: Int32) {
        self.unknownID = unknownID
        let normal = file.pieces.filter { $0.kind == SentencePieceFile.Kind.normal.rawValue }
        unknownScore =
            normal.map(\.score).reduce(Float.greatestFiniteMagnitude, min) - Self.unknownPenalty
        let best = normal.map(\.score).reduce(Float.leastNormalMagnitude, max)
        scores = file.pieces.map(\.score)
        if file.fallsBackToBytes { byteIDs = [Int32](repeating: unknownID, count: 256) }
        for (index, piece) in file.pieces.enumerated() {
            let id = Int32(index)
            switch SentencePieceFile.Kind(rawValue: piece.kind) {
            case .normal:
                trie.insert(piece.text, value: id)
            case .userDefined:
                // Better than any way to cut it, so that it is always taken.
                scores[index] = Float(Double(Float(piece.text.count) * best) - 0.1)
                trie.insert(piece.text, value: id)
            case .byte:
                if let byte = SentencePieceTokenizer.byte(piece.text), !byteIDs.isEmpty {
                    byteIDs[Int(byte)] = id
                }
            default: break
            }
        }
    }

    /// Appends the ids of normalised text.
    func encode(_ text: [UInt8], into ids: inout [Int32]) {
        struct Path {
            var score: Float = 0
            var id: Int32 = -1
            var start = -1
        }
        let bytes = text.span
        var best = [Path](repeating: Path(), count: text.count + 1)
        var start = 0
        while start < text.count {
            let score = best[start].score
            let next = min(start + Self.length(of: bytes[start]), text.count)
            var hasCharacter = false
            func offer(_ id: Int32, _ added: Float, to end: Int) {
                let sum = added + score
                if best[end].start < 0 || sum > best[end].score {
                    best[end] = Path(score: sum, id: id, start: start)
                }
            }
            trie.forEachMatch(in: bytes, from: start, to: text.count) { id, end in
                offer(id, scores[Int(id)], to: end)
                if end == next { hasCharacter = true }
            }
            if !hasCharacter { offer(unknownID, unknownScore, to: next) }
            start = next
        }
        var path: [(id: Int32, range: Range<Int>)] = []
        var end = text.count
        while end > 0 {
            path.append((best[end].id, best[end].start..<end))
            end = best[end].start
        }
        append(path.reversed(), of: text, to: &ids)
    }

    private func append(
        _ path: some Sequence<(id: Int32, range: Range<Int>)>, of text: [UInt8],
        to ids: inout [Int32]
    ) {
        var followsUnknown = false
        for (id, range) in path {
            let isUnknown = id == unknownID
            if isUnknown && !byteIDs.isEmpty {
                for byte in text[range] { ids.append(byteIDs[Int(byte)]) }
            } else if !(isUnknown && followsUnknown) {
                ids.append(id)
            }
            followsUnknown = isUnknown
        }
    }

    private static func length(of byte: UInt8) -> Int {
        byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
    }
}
