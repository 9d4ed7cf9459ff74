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
    /// The only checkpoint there is in PyTorch's own format.
    case pickledCheckpoint(file: String)
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
