/// Encodes text after text for one ``BytePairTokenizer``, remembering pieces.
final class BytePairEncoder: TokenEncoder {
    private var session: Session

    init(_ tokenizer: BytePairTokenizer, recognisesSpecialTokens: Bool) {
        session = Session(tokenizer: tokenizer, recognisesSpecialTokens: recognisesSpecialTokens)
    }

    func encode(_ utf8: [UInt8], into ids: inout [Int32]) {
        session.encode(UTF8Bytes.repaired(utf8), into: &ids)
    }
}

/// A value, so that its parts are reached without a check for every access.
private struct Session {
    let tokenizer: BytePairTokenizer
    let recognisesSpecialTokens: Bool
    let scanner = PieceScanner()
    var cache = PieceCache()

    mutating func encode(_ bytes: [UInt8], into ids: inout [Int32]) {
        let pieces = tokenizer.rawMatcher.pieces(
            of: bytes.span, in: bytes.indices, recognisingSpecialTokens: recognisesSpecialTokens)
        for piece in pieces {
            if let id = piece.id {
                ids.append(id)
            } else if tokenizer.composes,
                let text = CanonicalComposition.shared.normalized(bytes, in: piece.range)
            {
                encodeNormalized(text, in: text.indices, into: &ids)
            } else {
                encodeNormalized(bytes, in: piece.range, into: &ids)
            }
        }
    }

    private mutating func encodeNormalized(
        _ bytes: [UInt8], in range: Range<Int>, into ids: inout [Int32]
    ) {
        if tokenizer.normalizedMatcher.isEmpty {
            encodeText(bytes, in: range, into: &ids)
            return
        }
        let pieces = tokenizer.normalizedMatcher.pieces(
            of: bytes.span, in: range, recognisingSpecialTokens: recognisesSpecialTokens)
        for piece in pieces {
            if let id = piece.id {
                ids.append(id)
            } else {
                encodeText(bytes, in: piece.range, into: &ids)
            }
        }
    }

    private mutating func encodeText(
        _ bytes: [UInt8], in range: Range<Int>, into ids: inout [Int32]
    ) {
        let space = UInt8(ascii: " ")
        if tokenizer.addsPrefixSpace, bytes[range.lowerBound] != space {
            let prefixed = [space] + bytes[range]
            encodePieces(of: prefixed.span, in: prefixed.indices, into: &ids)
        } else {
            encodePieces(of: bytes.span, in: range, into: &ids)
        }
    }

    private mutating func encodePieces(
        of text: Span<UInt8>, in range: Range<Int>, into ids: inout [Int32]
    ) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end =
                tokenizer.splits
                ? scanner.pieceEnd(in: text, from: start, to: range.upperBound)
                : range.upperBound
            encodePiece(of: text, in: start..<end, into: &ids)
            start = end
        }
    }

    @inline(__always)
    private mutating func encodePiece(
        of text: Span<UInt8>, in range: Range<Int>, into ids: inout [Int32]
    ) {
        guard range.count <= PieceCache.longestPiece else {
            tokenizer.model.encode(text, in: range, into: &ids)
            return
        }
        guard let hash = cache.lookUp(text, in: range, into: &ids) else { return }
        let before = ids.count
        tokenizer.model.encode(text, in: range, into: &ids)
        cache.insert(text, in: range, hash: hash, ids: ids[before...])
    }
}
