import TreeTopology

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
    public func validate() throws(TreeSettingsError) {
        for (setting, value) in [("tree_scale", scale), ("chain_gain", chainGain)]
        where !value.isFinite {
            throw TreeSettingsError.value(
                setting: setting, found: "\(value)", expected: "a finite number")
        }
        guard neighbors >= 1 else {
            throw TreeSettingsError.value(
                setting: "tree_neighbors", found: "\(neighbors)", expected: "at least 1")
        }
    }
}

/// The ways settings from outside can be wrong.
public enum TreeSettingsError: Error, Equatable {
    /// A setting, by its name in files, is out of range.
    case value(setting: String, found: String, expected: String)
}

extension TreeSettingsError: CustomStringConvertible {
    /// One line that names the setting.
    public var description: String {
        switch self {
        case .value(let setting, let found, let expected):
            "setting '\(setting)' is \(found), expected \(expected)"
        }
    }
}
