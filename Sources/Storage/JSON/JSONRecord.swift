/// One record of a data file, and where it stands.
public struct JSONRecord: Equatable, Sendable {
    /// The file as given.
    public let file: String
    /// The line on which the record begins, from 1.
    public let line: Int
    /// What it holds.
    public let object: JSONObject

    /// The file and line, as messages begin: `train.jsonl:412`.
    public var place: String { "\(file):\(line)" }

    /// The members, read with errors that name file and line.
    public var fields: JSONFields { JSONFields(object, place: place) }
}
