import Storage

/// What can be wrong with a GGUF file, or keeps something from becoming one.
public enum GGUFError: Error, Equatable {
    /// The file is not one, or not of a version that is read.
    case notGGUF(file: String, found: String)
    /// The file is damaged, or says something that is not read.
    case malformed(file: String, offset: Int, what: String, found: String, expected: String)
    /// A value is not finite in the type that it is to be kept in.
    case notFinite(file: String, tensor: String, type: String)
    /// llama.cpp has no place for something of the model.
    case model(String, found: String, expected: String)
    /// llama.cpp has no tokenizer that gives the same ids.
    case tokenizer(found: String, expected: String)
    /// llama.cpp has no place for an adapter's layer.
    case adapter(layer: String)
}

extension GGUFError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .notGGUF(let file, let found):
            "\(quotedPath(file)): begins with \(found), expected a GGUF file of version 3"
        case .malformed(let file, let offset, let what, let found, let expected):
            "\(quotedPath(file)): \(oneLine(what)) at byte \(offset) is \(oneLine(found)), expected \(expected)"
        case .notFinite(let file, let tensor, let type):
            "\(quotedPath(file)): tensor \(quoted(tensor)) has a value that is not finite in \(type), "
                + "expected numbers; take --outtype bf16 or f32"
        case .model(let what, let found, let expected):
            "the model's \(what) is \(oneLine(found)), expected \(expected), which is all that "
                + "llama.cpp runs"
        case .tokenizer(let found, let expected):
            "the tokenizer is \(oneLine(found)), expected \(expected), as llama.cpp has it; "
                + "--no-tokenizer leaves it out"
        case .adapter(let layer):
            "the adapter changes \(quoted(layer)), expected layers of a Mamba model; merge it"
        }
    }
}
