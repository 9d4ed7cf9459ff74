import CSentencePiece

/// Owns a model of the SentencePiece library, and is the only place that calls its shim.
///
/// Unchecked: the handle is set once, the library's encoding and decoding are `const` and keep
/// their scratch memory on the stack, and the handle is freed when no one refers to it any more.
final class SentencePieceModel: @unchecked Sendable {
    private let handle: OpaquePointer
    /// How many pieces there are.
    let count: Int32

    /// Loads a model.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - file: The name that errors give.
    /// - Throws: ``TokenizerError/sentencePiece(file:reason:)``.
    init(_ bytes: [UInt8], file: String) throws {
        var message = [CChar](repeating: 0, count: 512)
        guard let handle = mtl_spm_open(bytes, bytes.count, &message, message.count) else {
            let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw TokenizerError.sentencePiece(
                file: file, reason: String(decoding: text, as: UTF8.self))
        }
        self.handle = handle
        count = mtl_spm_vocabulary_size(handle)
    }

    deinit { mtl_spm_close(handle) }

    // The ids of the model's own special pieces; nil where it has none.
    var bosID: Int32? { Self.optional(mtl_spm_bos(handle)) }
    var eosID: Int32? { Self.optional(mtl_spm_eos(handle)) }
    var padID: Int32? { Self.optional(mtl_spm_pad(handle)) }
    var unknownID: Int32? { Self.optional(mtl_spm_unk(handle)) }

    /// What a piece stands for.
    func kind(of id: Int32) -> mtl_spm_kind {
        precondition(id >= 0 && id < count, "id is \(id), the model has \(count)")
        return mtl_spm_kind_of(handle, id)
    }

    /// The bytes of a piece.
    func piece(_ id: Int32) -> [UInt8] {
        precondition(id >= 0 && id < count, "id is \(id), the model has \(count)")
        var length = 0
        let start = mtl_spm_piece(handle, id, &length)
        let buffer = UnsafeBufferPointer(start: start, count: length)
        return buffer.map { UInt8(bitPattern: $0) }
    }

    /// The id of a piece, or nil.
    func id(of piece: [UInt8]) -> Int32? {
        let id = piece.withUnsafeBytes {
            mtl_spm_id(handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return id >= 0 && id < count && self.piece(id) == piece ? id : nil
    }

    /// Appends the ids of a text.
    func encode(_ text: [UInt8], into ids: inout [Int32]) {
        if text.isEmpty { return }
        var memory: UnsafeMutablePointer<Int32>?
        var count = 0
        let status = text.withUnsafeBytes {
            mtl_spm_encode(
                handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, &memory,
                &count)
        }
        defer { mtl_spm_free(memory) }
        precondition(status == 0, "SentencePiece could not encode \(text.count) bytes")
        ids += UnsafeBufferPointer(start: memory, count: count)
    }

    /// A text as the model has it before it segments.
    func normalized(_ text: [UInt8]) -> [UInt8] {
        if text.isEmpty { return [] }
        var memory: UnsafeMutablePointer<CChar>?
        var count = 0
        let status = text.withUnsafeBytes {
            mtl_spm_normalize(
                handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, &memory,
                &count)
        }
        defer { mtl_spm_free(memory) }
        precondition(status == 0, "SentencePiece could not normalise \(text.count) bytes")
        return Array(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// The text of ids, all of them below ``count``.
    func decode(_ ids: [Int32]) -> String {
        if ids.isEmpty { return "" }
        var memory: UnsafeMutablePointer<CChar>?
        var count = 0
        let status = mtl_spm_decode(handle, ids, ids.count, &memory, &count)
        defer { mtl_spm_free(memory) }
        precondition(status == 0, "SentencePiece could not decode \(ids.count) ids")
        let bytes = UnsafeRawBufferPointer(start: memory, count: count)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func optional(_ id: Int32) -> Int32? { id < 0 ? nil : id }
}
