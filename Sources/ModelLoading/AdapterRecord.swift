import MambaLM
import Storage
import TreeSSMText

/// What an adapter was trained with and scoring and chat must use again: `mambatreel.json`.
public struct AdapterRecord: Equatable, Sendable {
    /// The file's name, beside the adapter.
    public static let fileName = "mambatreel.json"

    /// How states flowed.
    public var topology: TopologySettings
    /// The name of the prompt template, or of its file.
    public var template: String
    /// The template's text, where it came from a file.
    public var templateSource: String?

    /// Groups what is recorded.
    public init(topology: TopologySettings, template: String, templateSource: String? = nil) {
        self.topology = topology
        self.template = template
        self.templateSource = templateSource
    }

    /// Reads the record of a folder.
    ///
    /// - Parameter folder: An adapter's or a model's.
    /// - Returns: The record; `nil` if the folder has none, as adapters of other programs.
    /// - Throws: ``AdapterRecordError``, `JSONError` or `FileError`.
    public static func read(folder: String) throws -> AdapterRecord? {
        let path = "\(folder)/\(fileName)"
        guard FilePath.exists(path) else { return nil }
        let fields = try JSONFields(JSONValue.read(path), file: path)
        return AdapterRecord(
            topology: try TopologySettings(fields),
            template: try fields.string(ifPresent: "template") ?? "alpaca-short",
            templateSource: try fields.string(ifPresent: "template_source"))
    }

    /// The file's text.
    public var text: String {
        var object: JSONObject = ["version": .string(Release.version)]
        for member in topology.json.members { object[member.key] = member.value }
        object["template"] = .string(template)
        if let templateSource { object["template_source"] = .string(templateSource) }
        return JSONWriter(indent: 2, escapesNonASCII: false).string(.object(object)) + "\n"
    }
}

/// This version of MambaTreeL.
public enum Release {
    /// Its number, by the rules of semantic versioning.
    public static let version = "0.2.0"
}

/// What can be wrong with an adapter's record.
public enum AdapterRecordError: Error, Equatable {
    /// A field is none of the words it may be.
    case choice(file: String, field: String, found: String, expected: [String])
    /// A setting of the tree is out of range.
    case setting(file: String, TreeSettingsError)
}

extension AdapterRecordError: CustomStringConvertible {
    /// One line that names file and field.
    public var description: String {
        switch self {
        case .choice(let file, let field, let found, let expected):
            "\(quotedPath(file)): field \(quoted(field)) is \(quoted(found)), expected one of "
                + expected.joined(separator: ", ")
        case .setting(let file, let error): "\(quotedPath(file)): \(error)"
        }
    }
}

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
        self.kind = kind
        self.tree = tree
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
