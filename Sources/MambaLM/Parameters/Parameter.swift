import Kernels

/// A named tensor of a model, frozen until it is made trainable.
public final class Parameter {
    /// The name in the Hugging Face layout, such as `backbone.layers.0.mixer.in_proj.weight`.
    public let name: String
    /// The values; may be mapped read-only from a file while the parameter is frozen.
    public private(set) var value: Tensor
    /// The sum of gradients since it was last cleared; `nil` while the parameter is frozen.
    public private(set) var gradient: Tensor?

    /// Creates a frozen parameter.
    public init(name: String, value: Tensor) { (self.name, self.value) = (name, value) }

    /// Whether the parameter has a gradient.
    public var isTrainable: Bool { gradient != nil }

    /// Gives the parameter memory of its own and a gradient of zero.
    public func makeTrainable() {
        guard !isTrainable else { return }
        value = value.copy()
        gradient = Tensor(shape: value.shape)
    }

    /// Takes the gradient away.
    public func freeze() { gradient = nil }

    /// Sets the gradient to zero.
    public func clearGradient() { gradient?.fill(0) }

    /// Replaces the values by others of the same shape.
    public func replaceValue(_ value: Tensor) {
        precondition(
            value.shape == self.value.shape, "\(name) is \(self.value.shape), given \(value.shape)")
        self.value = value
    }
}
