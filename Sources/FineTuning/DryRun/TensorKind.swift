import Layers

/// Tensors that stand in the same place of different layers.
public struct TensorKind: Equatable, Sendable {
    /// The place, with `*` for the layer's number: `layers.*.mixer.in_proj`.
    public var name: String
    /// How many tensors there are.
    public var count: Int
    /// The shapes of those of one layer, in order.
    public var shapes: [[Int]]
    /// The number of values of all of them.
    public var values: Int

    /// Puts tensors of a kind together; those of another shape than their like are a kind of their own.
    ///
    /// - Parameter tensors: As files hold them.
    /// - Returns: The kinds, in the order of their first tensors.
    public static func kinds(of tensors: [StoredTensor]) -> [TensorKind] {
        var modules: [(module: String, tensors: [StoredTensor])] = []
        var places: [String: Int] = [:]
        for tensor in tensors {
            let module = module(of: tensor.name)
            if let place = places[module] {
                modules[place].tensors.append(tensor)
            } else {
                places[module] = modules.count
                modules.append((module, [tensor]))
            }
        }
        var kinds: [TensorKind] = []
        for (module, tensors) in modules {
            let name = module.split(separator: ".").map { Int($0) == nil ? $0 : "*" }
                .joined(separator: ".")
            let shapes = tensors.map(\.shape)
            let place =
                kinds.firstIndex { $0.name == name && $0.shapes == shapes } ?? kinds.count
            if place == kinds.count {
                kinds.append(TensorKind(name: name, count: 0, shapes: shapes, values: 0))
            }
            kinds[place].count += tensors.count
            kinds[place].values += tensors.reduce(0) { $0 + $1.count }
        }
        return kinds
    }

    /// The part of a tensor's name that says where it is.
    private static func module(of name: String) -> String {
        var parts = name.split(separator: ".")
        for part in ["base_model", "model", "backbone"] where parts.first.map(String.init) == part {
            parts.removeFirst()
        }
        while let last = parts.last, parts.count > 1,
            ["weight", "bias", "lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B"]
                .contains(last)
        {
            parts.removeLast()
        }
        return parts.joined(separator: ".")
    }
}
