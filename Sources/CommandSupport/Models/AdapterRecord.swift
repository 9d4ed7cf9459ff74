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
        (self.topology, self.template) = (topology, template)
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
        var object: JSONObject = ["version": .string(CommandLineProgram.version)]
        for member in topology.json.members { object[member.key] = member.value }
        object["template"] = .string(template)
        if let templateSource { object["template_source"] = .string(templateSource) }
        return JSONWriter(indent: 2, escapesNonASCII: false).string(.object(object)) + "\n"
    }
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
