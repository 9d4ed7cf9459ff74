import Layers
import Storage
import Tensors

/// The tensors of an adapter file, each to be taken once.
struct AdapterTensors {
    private let checkpoint: SafetensorsCheckpoint
    private var taken: Set<String> = []

    /// Opens `STEM.safetensors` in a folder.
    init(folder: String, stem: String) throws {
        checkpoint = try SafetensorsCheckpoint(path: folder, stem: stem)
    }

    /// The file, for messages.
    var path: String { checkpoint.path }
    /// The names in the order of the file.
    var names: [String] { checkpoint.names }
    /// The texts in the file's header.
    var metadata: [String: String] { checkpoint.metadata }

    /// Reads a tensor as single precision.
    ///
    /// - Parameters:
    ///   - name: Its key.
    ///   - shape: The wanted shape, with two axes.
    ///   - isTransposed: Whether the file holds the transpose of what is wanted.
    /// - Returns: The tensor in the wanted shape.
    /// - Throws: ``LoRAError/tensorShape(file:name:found:expected:)``,
    ///   ``LoRAError/notFinite(file:name:)``, `SafetensorsError`.
    mutating func take(
        _ name: String, shape: [Int], isTransposed: Bool = false
    ) throws -> Tensor {
        let entry = try checkpoint.entry(name)
        let stored = isTransposed ? shape.reversed() : shape
        guard entry.tensor.shape == stored else {
            throw LoRAError.tensorShape(
                file: entry.file.path, name: name, found: entry.tensor.shape, expected: stored)
        }
        let values = try entry.file.floats(of: entry.tensor)
        guard values.allSatisfy(\.isFinite) else {
            throw LoRAError.notFinite(file: entry.file.path, name: name)
        }
        taken.insert(name)
        let result = Tensor(values, shape: stored)
        return isTransposed ? result.transposed() : result
    }

    /// Checks that every tensor that was not taken is a copy of one of the base model.
    ///
    /// PEFT stores such copies when the output projection is adapted, among other cases.
    ///
    /// - Throws: ``LoRAError/unexpectedTensor(file:name:)`` or
    ///   ``LoRAError/differentBase(file:name:)``.
    func checkRest(against model: any AdaptableModel) throws {
        var base: [String: WeightMatrix] = [:]
        // A layer may share the weight of another: of that, too, there may be a copy under its name.
        for layer in model.adaptableLayers { base[layer.name + ".weight"] = layer.weight.matrix }
        for parameter in model.parameters { base[parameter.name] = parameter.matrix }
        for name in names where !taken.contains(name) {
            let entry = try checkpoint.entry(name)
            guard let baseName = PEFTTensorName.baseName(of: name), let value = base[baseName]
            else {
                throw LoRAError.unexpectedTensor(file: entry.file.path, name: name)
            }
            let isEqual =
                try entry.tensor.shape == value.shape
                && value.isRounded(
                    from: Tensor(entry.file.floats(of: entry.tensor), shape: value.shape),
                    on: model.engine)
            guard isEqual else {
                throw LoRAError.differentBase(file: entry.file.path, name: name)
            }
        }
    }
}

extension WeightMatrix {
    /// Whether a tensor of finite values becomes this matrix in its format.
    fileprivate func isRounded(from tensor: Tensor, on engine: any Engine) -> Bool {
        let rounded = engine.rounded(engine.reachable(tensor), to: format)
        return engine.expanded(rounded).values == engine.expanded(self).values
    }
}

extension Tensor {
    /// A copy of a tensor with two axes, those exchanged.
    func transposed() -> Tensor {
        let (rows, columns) = (rows, columns)
        let values = values
        var result = [Float](repeating: 0, count: values.count)
        for row in 0..<rows {
            for column in 0..<columns {
                result[column * rows + row] = values[row * columns + column]
            }
        }
        return Tensor(result, shape: [columns, rows])
    }
}
