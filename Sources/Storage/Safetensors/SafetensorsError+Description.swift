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
        case .pickledCheckpoint(let file):
            "\(quotedPath(file)): is a PyTorch pickle, expected safetensors; "
                + "convert it with safetensors' convert.py or save_pretrained"
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
