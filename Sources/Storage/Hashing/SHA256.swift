import CCrypto

/// The hash function SHA-256, over bytes that come piece by piece.
///
///     var hash = SHA256()
///     hash.update(bytes)
///     let text = hash.hexadecimal()
///
/// Source: FIPS 180-4, as libcrypto computes it, with the processor's instructions for it.
public struct SHA256: ~Copyable {
    private let digest = Digest(EVP_sha256())

    /// Begins a hash.
    public init() {}

    /// Adds bytes.
    public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { digest.update($0) } }

    /// Adds integers, each as four bytes, the lowest first.
    public mutating func update(_ integers: [Int32]) {
        integers.withUnsafeBytes { digest.update($0) }
    }

    /// Ends the hash: that of all bytes added, 32 bytes in hexadecimal.
    public consuming func hexadecimal() -> String { digest.hexadecimal() }

    /// The hash of a text's UTF-8 in hexadecimal, 64 characters.
    public static func hexadecimal(of text: String) -> String {
        let digest = Digest(EVP_sha256())
        var text = text
        text.withUTF8 { digest.update(UnsafeRawBufferPointer($0)) }
        return digest.hexadecimal()
    }

    /// The hash of a file's bytes in hexadecimal; compressed files are not decompressed.
    ///
    /// - Parameter path: A regular file.
    /// - Returns: 64 characters.
    /// - Throws: ``FileError``.
    public static func hexadecimal(ofFile path: String) throws -> String {
        let file = try MappedFile(path: path)
        let digest = Digest(EVP_sha256())
        withExtendedLifetime(file) { digest.update(file.bytes) }
        return digest.hexadecimal()
    }
}

/// The name that git, and so the hub, gives a file by its content.
///
/// It is the SHA-1 of `blob SIZE`, a zero byte and the content. It tells damage, not forgery.
///
/// Source: git's format of objects.
public enum GitBlobHash {
    /// The name of a file's content in hexadecimal, 40 characters.
    ///
    /// - Throws: ``FileError``.
    public static func hexadecimal(ofFile path: String) throws -> String {
        let file = try MappedFile(path: path)
        return withExtendedLifetime(file) { hexadecimal(of: file.bytes) }
    }

    static func hexadecimal(of content: UnsafeRawBufferPointer) -> String {
        let digest = Digest(EVP_sha1())
        Array("blob \(content.count)\0".utf8).withUnsafeBytes { digest.update($0) }
        digest.update(content)
        return digest.hexadecimal()
    }
}

/// A digest that libcrypto computes.
private struct Digest: ~Copyable {
    private let context: OpaquePointer

    init(_ algorithm: OpaquePointer?) {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, algorithm, nil) == 1 else {
            preconditionFailure("libcrypto does not compute this digest here")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        let done = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(done == 1, "libcrypto refused \(bytes.count) bytes")
    }

    /// Ends the digest; nothing may be added afterwards.
    func hexadecimal() -> String {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        precondition(
            EVP_DigestFinal_ex(context, &bytes, &count) == 1, "libcrypto did not end a digest")
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.prefix(Int(count)).flatMap {
                [digits[Int($0 >> 4)], digits[Int($0 & 15)]]
            },
            as: UTF8.self)
    }
}
