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

/// The SHA-256 of every file of a folder, in a file that `sha256sum --check` reads, too.
public enum DigestList {
    /// The file's name.
    public static let fileName = "SHA256SUMS"

    /// Writes the list for the files that are there.
    ///
    /// - Parameter folder: A folder of regular files.
    /// - Throws: ``FileError``.
    /// - Complexity: Reads all files once.
    public static func write(to folder: String) throws {
        let names = try FolderTree.names(in: folder).filter { $0 != fileName }
        let lines = try names.map { name in
            try SHA256.hexadecimal(ofFile: FilePath.join(folder, name)) + "  \(name)\n"
        }
        try AtomicFile.write(lines.joined(), to: FilePath.join(folder, fileName))
    }

    /// Holds the files against the list.
    ///
    /// - Parameter folder: The folder; without a list nothing is checked.
    /// - Throws: ``DigestError``, or ``FileError`` if a file is missing.
    public static func check(_ folder: String) throws {
        let list = FilePath.join(folder, fileName)
        guard FilePath.exists(list) else { return }
        let reader = try LineReader(path: list)
        while let line = try reader.next() {
            let parts = line.text.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].utf8.count == 64, let name = parts.last?.dropFirst(),
                !name.contains("/")
            else { throw DigestError.malformed(file: list) }
            let file = FilePath.join(folder, String(name))
            guard try SHA256.hexadecimal(ofFile: file) == parts[0] else {
                throw DigestError.differs(file: file, list: fileName)
            }
        }
    }
}

/// What can be wrong with files that have digests.
public enum DigestError: Error, Equatable {
    /// A file is not the one whose digest was written down.
    case differs(file: String, list: String)
    /// The list has a line that is none of its own.
    case malformed(file: String)
}

extension DigestError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .differs(let file, let list):
            "\(quotedPath(file)): has another SHA-256 than \(list) says; it is damaged or was changed"
        case .malformed(let file):
            "\(quotedPath(file)): has a line that is not a SHA-256, two blanks and a name"
        }
    }
}
