/// What can be wrong with a checkpoint that PyTorch pickled.
public enum PickleError: Error, Equatable {
    /// It is in the format of PyTorch before 1.6.
    case legacy(file: String)
    /// The zip file around it is damaged, or of a kind that PyTorch does not write.
    case zip(file: String, offset: Int, fault: String)
    /// An entry of the zip file is missing.
    case missing(file: String, entry: String)
    /// The pickle asks for something that is no tensor.
    case global(file: String, offset: Int, name: String)
    /// The pickle has an instruction that tensors do not need.
    case instruction(file: String, offset: Int, code: UInt8)
    /// The pickle is damaged, or builds something else than tensors.
    case malformed(file: String, offset: Int, found: String, expected: String)
    /// What a name stands for is none of the tensors that are read.
    case tensor(file: String, name: String, found: String, expected: String)
}

extension PickleError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        let remedy =
            "; nothing of it was run; write the model again with save_pretrained, as safetensors"
        switch self {
        case .legacy(let file):
            return "\(quotedPath(file)): is a pickle of PyTorch before 1.6, expected a zip file"
                + remedy
        case .zip(let file, let offset, let fault):
            return "\(quotedPath(file)): the zip file has \(oneLine(fault)), at byte \(offset)"
        case .missing(let file, let entry):
            return
                "\(quotedPath(file)): entry \(quoted(entry)) is missing in the zip file, expected "
                + "what torch.save writes"
        case .global(let file, let offset, let name):
            return
                "\(quotedPath(file)): the pickle asks for \(quoted(name)) at byte \(offset), expected "
                + "tensors alone" + remedy
        case .instruction(let file, let offset, let code):
            return
                "\(quotedPath(file)): the pickle has instruction 0x\(String(code, radix: 16)) at byte "
                + "\(offset), expected those that tensors need" + remedy
        case .malformed(let file, let offset, let found, let expected):
            return
                "\(quotedPath(file)): the pickle has \(oneLine(found)) at byte \(offset), expected "
                + expected
        case .tensor(let file, let name, let found, let expected):
            return "\(quotedPath(file)): \(quoted(name)) is \(oneLine(found)), expected \(expected)"
        }
    }
}
