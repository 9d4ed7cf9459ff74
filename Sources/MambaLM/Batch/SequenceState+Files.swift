import Kernels
import Storage

/// States in safetensors files.
///
/// The tensors of block `N` are `layers.N.history`, `[convolutionWidth - 1, inner]`, and `layers.N.state`,
/// `[state, inner]`, both F32. The metadata say what they are of: `format` is `mambatreel-state`, `version`
/// 1; `model` and `topology` are those of the model's ``ModelFingerprint``, and `position` the number of
/// tokens read. More metadata may stand beside them.
extension SequenceState {
    private static let format = "mambatreel-state"
    private static let version = 1
    /// More tokens than anyone reads; so many can be added to without overflow.
    private static let positions = 0...1 << 53

    /// Writes the state, all or nothing.
    ///
    /// - Parameters:
    ///   - path: The file, replaced if it exists.
    ///   - model: The model that made the state, unchanged since.
    ///   - extra: More metadata, under other keys.
    /// - Throws: `FileError`.
    public func write(
        to path: String, of model: MambaModel, metadata extra: [String: String] = [:]
    ) throws {
        let fingerprint = model.fingerprint
        let metadata = [
            "format": Self.format, "version": "\(Self.version)", "model": fingerprint.model,
            "topology": fingerprint.topology, "position": "\(position)",
        ].merging(extra) { own, _ in own }
        let tensors = layers.enumerated().flatMap { layer, part in
            zip(Self.names(layer: layer), [part.history, part.state])
        }
        let specs = tensors.map {
            SafetensorsWriter.Spec(name: $0, type: .float32, shape: $1.shape)
        }
        var rest = tensors[...]
        try SafetensorsWriter.write(specs, metadata: metadata, to: path) { _, sink in
            // All are of one type, so the writer keeps the order.
            if let (_, tensor) = rest.popFirst() { try sink.write(floats: tensor.values) }
        }
    }

    /// Reads a state.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - model: The model that is to go on from it.
    /// - Returns: The state.
    /// - Throws: ``SequenceStateError``, `SafetensorsError` or `FileError`.
    public static func read(_ path: String, for model: MambaModel) throws -> SequenceState {
        try read(SafetensorsFile(path: path), for: model)
    }

    /// Reads the state in an open file.
    ///
    /// - Throws: ``SequenceStateError`` or `SafetensorsError`.
    public static func read(
        _ file: SafetensorsFile, for model: MambaModel
    ) throws -> SequenceState {
        func text(_ key: String) throws -> String {
            guard let text = file.metadata[key] else {
                throw SequenceStateError.notState(file: file.path, missing: key)
            }
            return text
        }
        func check(_ key: String, is expected: String) throws {
            let found = try text(key)
            guard found == expected else {
                throw SequenceStateError.mismatch(
                    file: file.path, key: key, found: found, expected: expected)
            }
        }
        try check("format", is: Self.format)
        try check("version", is: "\(Self.version)")
        let fingerprint = model.fingerprint
        try check("model", is: fingerprint.model)
        try check("topology", is: fingerprint.topology)
        guard let position = Int(try text("position")), Self.positions.contains(position) else {
            throw SequenceStateError.mismatch(
                file: file.path, key: "position", found: try text("position"),
                expected: "a number of tokens")
        }
        let sizes = model.configuration
        func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
            let entry = try file.tensor(name)
            guard entry.shape == shape else {
                throw SequenceStateError.shape(
                    file: file.path, tensor: name, found: entry.shape, expected: shape)
            }
            let tensor = Tensor(uninitialized: shape)
            try tensor.withUnsafeMutableElements { try file.readFloats(of: entry, into: $0) }
            return tensor
        }
        let layers = try model.blocks.indices.map { layer in
            let names = names(layer: layer)
            return Layer(
                history: try tensor(names[0], [sizes.convolutionWidth - 1, sizes.inner]),
                state: try tensor(names[1], [sizes.state, sizes.inner]))
        }
        guard file.tensors.count == 2 * layers.count else {
            throw SequenceStateError.tensorCount(
                file: file.path, found: file.tensors.count, expected: 2 * layers.count)
        }
        return SequenceState(layers: layers, position: position)
    }

    private static func names(layer: Int) -> [String] {
        ["layers.\(layer).history", "layers.\(layer).state"]
    }
}

/// What can be wrong with the file of a state, beyond what is wrong with its format.
public enum SequenceStateError: Error, Equatable {
    /// The metadata lack a key that every state has.
    case notState(file: String, missing: String)
    /// The state is of another model, topology or version.
    case mismatch(file: String, key: String, found: String, expected: String)
    /// A tensor has not the shape that the model's sizes give it.
    case shape(file: String, tensor: String, found: [Int], expected: [Int])
    /// There are more tensors than those of the state.
    case tensorCount(file: String, found: Int, expected: Int)
}

extension SequenceStateError: CustomStringConvertible {
    /// One line that names the file.
    public var description: String {
        switch self {
        case .notState(let file, let missing):
            "\(quotedPath(file)): not a state: metadata lack '\(missing)'"
        case .mismatch(let file, let key, let found, let expected):
            "\(quotedPath(file)): state has \(key) \(quoted(found)), expected \(quoted(expected))"
                + (key == "model" ? "; use the model and the adapter that made it" : "")
                + (key == "topology" ? "; use the topology that made it" : "")
        case .shape(let file, let tensor, let found, let expected):
            "\(quotedPath(file)): tensor '\(tensor)' has shape \(found), expected \(expected)"
        case .tensorCount(let file, let found, let expected):
            "\(quotedPath(file)): holds \(found) tensors, expected \(expected)"
        }
    }
}
