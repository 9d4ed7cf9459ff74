import Storage

/// What can be wrong with an adapter's configuration or files.
///
/// `file` is the file at fault; `nil` if the configuration came from elsewhere, such as flags.
public enum LoRAError: Error, Equatable {
    /// The configuration names no layer.
    case noTargets(file: String?, available: [String])
    /// A name fits no layer.
    case unknownTarget(file: String?, name: String, available: [String])
    /// An exception for the rank or alpha fits no layer that gets an adapter.
    case unknownPattern(file: String?, name: String)
    /// A number is out of its range.
    case outOfRange(file: String?, field: String, found: String, expected: String)
    /// A field holds something that is not supported and would change the results.
    case unsupported(file: String, field: String, found: String, expected: String)
    /// The configuration is of no known format.
    case unknownFormat(file: String)
    /// A tensor's shape does not fit the configuration and the model.
    case tensorShape(file: String, name: String, found: [Int], expected: [Int])
    /// A tensor has values that are not finite.
    case notFinite(file: String, name: String)
    /// A tensor belongs to nothing that the configuration names.
    case unexpectedTensor(file: String, name: String)
    /// The file repeats a tensor of the base model, with other values.
    case differentBase(file: String, name: String)
    /// The adapter's embedding acts in the output projection too.
    case embeddingInHead(file: String, name: String)
}

extension LoRAError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .noTargets(let file, let available):
            place(file) + "no target module is given; choose from \(list(available))"
        case .unknownTarget(let file, let name, let available):
            place(file) + "target module \(quoted(name)) is in no layer of this model; "
                + "choose from \(list(available))"
        case .unknownPattern(let file, let name):
            place(file) + "pattern \(quoted(name)) fits no layer with an adapter"
        case .outOfRange(let file, let field, let found, let expected):
            place(file) + "field \(quoted(field)) is \(found), expected \(expected)"
        case .unsupported(let file, let field, let found, let expected):
            place(file) + "field \(quoted(field)) is \(oneLine(found)), which is not supported, "
                + "expected \(expected)"
        case .unknownFormat(let file):
            place(file) + "is no adapter configuration, expected field 'peft_type' (PEFT) "
                + "or 'lora_parameters' (mlx-lm)"
        case .tensorShape(let file, let name, let found, let expected):
            place(file) + "tensor \(quoted(name)) has shape \(found), expected \(expected)"
        case .notFinite(let file, let name):
            place(file) + "tensor \(quoted(name)) has values that are not finite, expected numbers"
        case .unexpectedTensor(let file, let name):
            place(file) + "tensor \(quoted(name)) belongs to no layer that "
                + "the configuration gives an adapter"
        case .differentBase(let file, let name):
            place(file) + "tensor \(quoted(name)) differs from the base model's; "
                + "use the base model that the adapter was trained on"
        case .embeddingInHead(let file, let name):
            place(file) + "tensor \(quoted(name)) adapts the embedding and, as mlx-lm has it, "
                + "the output projection tied to it, which is not supported; "
                + "fuse the adapter with mlx-lm"
        }
    }

    private func place(_ file: String?) -> String { file.map { quotedPath($0) + ": " } ?? "" }

    private func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}
