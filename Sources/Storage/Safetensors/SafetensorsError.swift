/// What can be wrong with a safetensors file or with a checkpoint made of such files.
public enum SafetensorsError: Error, Equatable {
    /// The file is too short to hold the length of its header.
    case tooShort(file: String, bytes: Int)
    /// The header is longer than any header may be.
    case headerTooLong(file: String, bytes: UInt64, limit: Int)
    /// The header ends behind the file.
    case headerPastEnd(file: String, end: Int, size: Int)
    /// The header has no bytes.
    case headerEmpty(file: String)
    /// The header is not UTF-8; bytes count from the file's first, which is 0.
    case headerNotUTF8(file: String, offset: Int)
    /// The header is not JSON; columns count from the header's first character.
    case headerNotJSON(file: String, column: Int, fault: JSONFault)
    /// The header is no object.
    case headerKind(file: String, found: String)
    /// Two entries have one name.
    case duplicateName(file: String, name: String)
    /// The metadata are not texts.
    case metadataKind(file: String, key: String?, found: String)
    /// A tensor's entry is no object, or one of its fields is absent, unknown or of another kind.
    case entry(file: String, name: String, fault: EntryFault)
    /// A tensor's element type is none of the format's.
    case unknownType(file: String, name: String, found: String)
    /// A tensor's shape has more bytes than can be counted.
    case shapeTooLarge(file: String, name: String, shape: [Int])
    /// A tensor ends before it begins.
    case offsetsReversed(file: String, name: String, begin: Int, end: Int)
    /// A tensor's bytes end behind the file; offsets count from the end of the header.
    case dataPastEnd(file: String, name: String, end: Int, size: Int)
    /// A tensor's bytes are not as many as its shape and type need.
    case sizeMismatch(file: String, name: String, found: Int, expected: Int)
    /// Two tensors share bytes.
    case overlap(file: String, name: String, other: String)
    /// Bytes in front of a tensor belong to none.
    case gap(file: String, name: String, bytes: Int)
    /// Bytes at the end of the file belong to no tensor.
    case leftover(file: String, bytes: Int)
    /// A tensor cannot be read as floats.
    case notFloat(file: String, name: String, type: ElementType)
    /// A tensor that is needed is not there.
    case missingTensor(file: String, name: String)
    /// No checkpoint is at the paths looked for.
    case noCheckpoint(looked: [String])
    /// A shard's name is not the plain name of a file in the folder.
    case shardName(index: String, tensor: String, found: String)
    /// The index has a tensor in a shard that does not hold it.
    case notInShard(index: String, tensor: String, shard: String)
    /// A shard holds a tensor that the index does not have there.
    case notInIndex(index: String, tensor: String, shard: String)
}

extension SafetensorsError {
    /// What is wrong with the form of a tensor's entry.
    public enum EntryFault: Error, Equatable, Sendable {
        /// The entry is no object.
        case kind(found: String)
        /// A field is not there.
        case missing(field: String)
        /// A field is none of the format's.
        case unknown(field: String)
        /// A field holds something else.
        case field(String, found: String, expected: String)
    }
}

extension SafetensorsError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .tooShort(let file, let bytes):
            "\(quotedPath(file)): has \(bytes) bytes, expected at least 8; "
                + "is the download complete?"
        case .headerTooLong(let file, let bytes, let limit):
            "\(quotedPath(file)): header length is \(bytes), expected at most \(limit); "
                + "this is no safetensors file or a damaged one"
        case .headerPastEnd(let file, let end, let size):
            "\(quotedPath(file)): header ends at byte \(end), the file at \(size); "
                + "is the download complete?"
        case .headerEmpty(let file): "\(quotedPath(file)): header is empty, expected a JSON object"
        case .headerNotUTF8(let file, let offset):
            "\(quotedPath(file)): header is not valid UTF-8 at byte \(offset)"
        case .headerNotJSON(let file, let column, let fault):
            "\(quotedPath(file)): header is not JSON at character \(column): \(fault)"
        case .headerKind(let file, let found):
            "\(quotedPath(file)): header is \(found), expected an object"
        case .duplicateName(let file, let name):
            "\(tensor(file, name)) is in the header twice"
        case .metadataKind(let file, let key?, let found):
            "\(quotedPath(file)): metadata \(quoted(key)) is \(found), expected a string"
        case .metadataKind(let file, nil, let found):
            "\(quotedPath(file)): metadata are \(found), expected an object"
        case .entry(let file, let name, let fault): "\(tensor(file, name)) \(fault)"
        case .unknownType(let file, let name, let found):
            "\(tensor(file, name)) has dtype \(quoted(found)), expected one of "
                + ElementType.allCases.map(\.rawValue).joined(separator: ", ")
        case .shapeTooLarge(let file, let name, let shape):
            "\(tensor(file, name)) has shape \(shape.prefix(16)), more bytes than can be counted"
        case .offsetsReversed(let file, let name, let begin, let end):
            "\(tensor(file, name)) begins at \(begin) and ends at \(end), expected an end after it"
        case .dataPastEnd(let file, let name, let end, let size):
            "\(tensor(file, name)) ends at byte \(end) of the data, the file has \(size); "
                + "is the download complete?"
        case .sizeMismatch(let file, let name, let found, let expected):
            "\(tensor(file, name)) has \(found) bytes, its shape and dtype need \(expected)"
        case .overlap(let file, let name, let other):
            "\(tensor(file, name)) shares bytes with tensor \(quoted(other)), expected none"
        case .gap(let file, let name, let bytes):
            "\(tensor(file, name)) follows \(bytes) bytes of no tensor, expected none"
        case .leftover(let file, let bytes):
            "\(quotedPath(file)): ends with \(bytes) bytes of no tensor, expected none"
        case .notFloat(let file, let name, let type):
            "\(tensor(file, name)) has dtype \(type.rawValue), expected F32, F16 or BF16"
        case .missingTensor(let file, let name):
            "\(tensor(file, name)) is missing"
        case .noCheckpoint(let looked):
            "\(quotedPath(looked.first ?? "")): not found"
                + looked.dropFirst().map { ", nor \(quotedPath($0))" }.joined()
        case .shardName(let index, let tensor, let found):
            "\(self.tensor(index, tensor)) is in shard \(quoted(found)), "
                + "expected the plain name of a file in the same folder"
        case .notInShard(let index, let tensor, let shard):
            "\(self.tensor(index, tensor)) is in shard \(quoted(shard)), "
                + "which does not hold it"
        case .notInIndex(let index, let tensor, let shard):
            "\(self.tensor(index, tensor)) of shard \(quoted(shard)) is not in the index"
        }
    }

    private func tensor(_ file: String, _ name: String) -> String {
        "\(quotedPath(file)): tensor \(quoted(name))"
    }
}

extension SafetensorsError.EntryFault: CustomStringConvertible {
    /// The end of the sentence for the user.
    public var description: String {
        switch self {
        case .kind(let found): "is \(found), expected an object"
        case .missing(let field): "has no field \(quoted(field))"
        case .unknown(let field): "has the unknown field \(quoted(field))"
        case .field(let field, let found, let expected):
            "has \(found) in field \(quoted(field)), expected \(expected)"
        }
    }
}
