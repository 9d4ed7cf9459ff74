import Storage

/// What can be wrong with a model's files.
public enum MambaModelError: Error, Equatable {
    /// A field of the configuration has a value that the model cannot have.
    case unsupported(file: String, field: String, found: String, expected: String)
    /// A tensor has not the shape that the configuration says.
    case shape(file: String, tensor: String, found: [Int], expected: [Int])
    /// A tensor has values that are not finite.
    case notFinite(file: String, tensor: String)
    /// The output projection is stored and differs from the embedding that it should share.
    case differentHead(file: String)
    /// The weights take more memory than there is.
    case tooLarge(folder: String, format: String, bytes: Int, available: Int)
}

extension MambaModelError: CustomStringConvertible {
    /// One line that names file and place.
    public var description: String {
        switch self {
        case .unsupported(let file, let field, let found, let expected):
            "\(quotedPath(file)): field \(quoted(field)) is \(oneLine(found)), expected \(expected)"
        case .shape(let file, let tensor, let found, let expected):
            "\(quotedPath(file)): tensor \(quoted(tensor)) has shape \(found), expected \(expected)"
        case .notFinite(let file, let tensor):
            "\(quotedPath(file)): tensor \(quoted(tensor)) has values that are not finite, expected numbers"
        case .differentHead(let file):
            "\(quotedPath(file)): tensor 'lm_head.weight' differs from 'backbone.embeddings.weight', "
                + "which config.json ties it to; "
                + "set tie_word_embeddings to false to use it, or remove the tensor"
        case .tooLarge(let folder, let format, let bytes, let available):
            "\(quotedPath(folder)): weights take \(bytes >> 20) MiB in \(format), expected at most "
                + "\(available >> 20) MiB, which are free; take a smaller model, or --dtype bfloat16 or int8"
        }
    }
}
