import Storage
import Tensors

/// What a model keeps of the tokens it has read: enough to go on, and of fixed size.
///
/// A value: continuing from a state leaves it as it is, so copies may share its memory.
public struct SequenceState {
    /// One block's part.
    public struct Layer {
        /// The last inputs of the convolution, `[convolutionWidth - 1, inner]`.
        public let history: Tensor
        /// The scan's state, `[state, inner]`.
        public let state: Tensor
    }

    /// One part a block.
    public let layers: [Layer]
    /// The number of tokens read.
    public let position: Int

    /// Whether every value is finite, so that something can go on from it.
    public var isFinite: Bool {
        layers.allSatisfy { layer in
            [layer.history, layer.state].allSatisfy { $0.values.allSatisfy(\.isFinite) }
        }
    }

    /// The memory held, in bytes.
    public var bytes: Int {
        layers.reduce(0) { $0 + ($1.history.count + $1.state.count) * MemoryLayout<Float>.stride }
    }
}

/// States in safetensors files.
///
/// The tensors of block `N` are `layers.N.history`, `[convolutionWidth - 1, inner]`, and `layers.N.state`,
/// `[state, inner]`, both F32. The metadata say what they are of: `format` is `mambatreel-state`, `version`
/// 2; `model` and `topology` are those of the model's ``ModelFingerprint``, `position` is the number of
/// tokens read and `digest` a hash of that and all values. More metadata may stand beside them.
extension SequenceState {
    private static let format = "mambatreel-state"
    private static let version = 2
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
            "digest": digest,
        ].merging(extra) { own, _ in own }
        let specs = zip(tensors, layers.flatMap { [$0.history.shape, $0.state.shape] }).map {
            SafetensorsWriter.Spec(name: $0.name, type: .float32, shape: $1)
        }
        var rest = tensors[...]
        try SafetensorsWriter.write(specs, metadata: metadata, to: path) { _, sink in
            // All are of one type, so the writer keeps the order.
            if let tensor = rest.popFirst() { try sink.write(floats: tensor.values) }
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
            return model.engine.reachable(tensor)
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
        let state = SequenceState(layers: layers, position: position)
        if let name = state.tensors.first(where: { !$0.values.allSatisfy(\.isFinite) })?.name {
            throw SequenceStateError.notFinite(file: file.path, tensor: name)
        }
        guard try text("digest") == state.digest else {
            throw SequenceStateError.damaged(file: file.path)
        }
        return state
    }

    /// The tensors with their names in a file, in its order.
    private var tensors: [(name: String, values: [Float])] {
        layers.enumerated().flatMap { layer, part in
            zip(Self.names(layer: layer), [part.history.values, part.state.values]).map { ($0, $1) }
        }
    }

    /// A hash of the position and of every bit of the values.
    private var digest: String {
        var hash = XXH64.hash("\(position)")
        for tensor in tensors {
            hash = XXH64.hash(tensor.name, seed: hash)
            hash = tensor.values.withUnsafeBytes { XXH64.hash($0, seed: hash) }
        }
        return XXH64.text(of: hash)
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
    /// A tensor holds values from which nothing can go on.
    case notFinite(file: String, tensor: String)
    /// The values are not those that were written.
    case damaged(file: String)
}

extension SequenceStateError {
    /// Whether it is the values that are wrong, and nothing else of the file.
    public var isOfValues: Bool {
        switch self {
        case .notFinite, .damaged: true
        default: false
        }
    }
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
        case .notFinite(let file, let tensor):
            "\(quotedPath(file)): tensor '\(tensor)' holds values that are not finite"
        case .damaged(let file):
            "\(quotedPath(file)): state is damaged: its values do not have the digest that was "
                + "written with them"
        }
    }
}
