import MambaLM
import Storage
import TreeSSMText

/// How states flow between tokens: a plain chain, or a chain and a tree.
public struct TopologySettings: Equatable, Sendable {
    /// Which topology.
    public enum Kind: String, CaseIterable, Sendable {
        /// A tree over each prompt, beside the chain.
        case tree
        /// Plain Mamba.
        case chain
    }

    /// Which topology.
    public var kind: Kind
    /// The tree's settings; a chain uses only its gain.
    public var tree: TreeSettings

    /// Groups the settings.
    public init(kind: Kind, tree: TreeSettings = TreeSettings()) {
        (self.kind, self.tree) = (kind, tree)
    }

    /// What a model is given.
    public var flow: any StateFlow {
        switch kind {
        case .tree: TreeFlow(tree)
        case .chain: ChainFlow(gain: tree.chainGain)
        }
    }

    /// The settings by their names in files, which are those of the flags.
    public var json: JSONObject {
        let number = { (value: Float) in JSONValue.number(Double("\(value)") ?? Double(value)) }
        return [
            "topology": .string(kind.rawValue), "tree_scale": number(tree.scale),
            "tree_neighbors": .integer(tree.neighbors),
            "edge_transition": .string(tree.transition.rawValue),
            "chain_gain": number(tree.chainGain),
        ]
    }

    /// Reads settings from a file's fields; those that are missing keep their defaults.
    init(_ fields: JSONFields) throws {
        self.init(kind: .chain)
        kind = try fields.choice("topology") ?? kind
        tree.scale = try fields.number(ifPresent: "tree_scale").map { Float($0) } ?? tree.scale
        tree.neighbors = try fields.integer(ifPresent: "tree_neighbors") ?? tree.neighbors
        tree.transition = try fields.choice("edge_transition") ?? tree.transition
        tree.chainGain =
            try fields.number(ifPresent: "chain_gain").map { Float($0) } ?? tree.chainGain
        do {
            try tree.validate()
        } catch {
            throw AdapterRecordError.setting(file: fields.place, error)
        }
    }
}

extension JSONFields {
    /// One of a few words; `nil` if the field is absent.
    fileprivate func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ field: String
    ) throws -> Choice? {
        guard let text = try string(ifPresent: field) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw AdapterRecordError.choice(
                file: place, field: field, found: text,
                expected: Choice.allCases.map(\.rawValue))
        }
        return choice
    }
}
