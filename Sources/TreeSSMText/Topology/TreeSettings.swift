/// How the tree beside the chain is built and weighed.
public struct TreeSettings: Codable, Equatable, Sendable {
    /// The weight of the tree's state, finite; at 0 the model is plain Mamba.
    public var scale: Float
    /// How far apart two joined tokens of the prompt may be, at least 1.
    public var neighbors: Int
    /// Which token's decay weighs an edge.
    public var transition: EdgeTransition
    /// The weight of the chain's state; finite.
    public var chainGain: Float

    /// Groups the settings; the defaults are the released ones.
    public init(
        scale: Float = 0.3, neighbors: Int = 3, transition: EdgeTransition = .successor,
        chainGain: Float = 1
    ) {
        (self.scale, self.neighbors) = (scale, neighbors)
        (self.transition, self.chainGain) = (transition, chainGain)
    }

    /// Throws the first error of a value from outside.
    ///
    /// - Throws: ``TreeSettingsError``.
    public func validate() throws {
        guard scale.isFinite else { throw TreeSettingsError.notFinite(setting: "scale") }
        guard chainGain.isFinite else { throw TreeSettingsError.notFinite(setting: "chainGain") }
        guard neighbors >= 1 else { throw TreeSettingsError.neighbors(found: neighbors) }
    }
}

/// The ways settings from outside can be wrong.
public enum TreeSettingsError: Error, Equatable {
    /// A weight is infinite or NaN.
    case notFinite(setting: String)
    /// There are too few neighbours for a tree.
    case neighbors(found: Int)
}

extension TreeSettingsError: CustomStringConvertible {
    /// One line that names the setting.
    public var description: String {
        switch self {
        case .notFinite(let setting): "tree setting '\(setting)' is not a finite number"
        case .neighbors(let found): "tree setting 'neighbors' is \(found), expected at least 1"
        }
    }
}
