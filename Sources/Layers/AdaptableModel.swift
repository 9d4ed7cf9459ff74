import Tensors

/// A model to whose layers adapters can be attached.
public protocol AdaptableModel: AnyObject {
    /// The processor.
    var engine: any Engine { get }

    /// Every parameter once, without those of adapters, in the order of a checkpoint.
    var parameters: [Parameter] { get }

    /// The layers that an adapter can be attached to, in the order of the forward pass.
    var adaptableLayers: [AdaptableLayer] { get }

    /// The same model with other values of some layers' weights, and without adapters.
    ///
    /// Parameters that are not replaced are shared with this one.
    ///
    /// - Parameter weights: The values, by the full names of layers.
    /// - Returns: The model.
    func replacing(_ weights: [String: Tensor]) -> Self
}

/// A layer that an adapter can be attached to.
public struct AdaptableLayer {
    /// The two kinds of layers.
    public enum Kind {
        /// Multiplies by a matrix.
        case linear(Linear)
        /// Looks rows up.
        case embedding(Embedding)
    }

    /// The layer's full name, such as `backbone.layers.0.mixer.in_proj`.
    public let name: String
    /// The layer.
    public let kind: Kind
    /// The number of the block that it is in; `nil` outside of blocks.
    public let block: Int?
    /// Whether it computes the model's output, as the projection to the vocabulary does.
    public let isHead: Bool

    /// Describes a layer.
    ///
    /// - Parameters:
    ///   - kind: The layer.
    ///   - name: Its name; that of its weight where none is given.
    ///   - block: The number of its block.
    ///   - isHead: Whether it computes the output.
    public init(_ kind: Kind, name: String? = nil, block: Int? = nil, isHead: Bool = false) {
        self.kind = kind
        self.name =
            name
            ?? {
                switch kind {
                case .linear(let linear): linear.name
                case .embedding(let embedding): embedding.name
                }
            }()
        (self.block, self.isHead) = (block, isHead)
    }

    /// The layer's weight.
    public var weight: Parameter {
        switch kind {
        case .linear(let linear): linear.weight
        case .embedding(let embedding): embedding.weight
        }
    }
}
