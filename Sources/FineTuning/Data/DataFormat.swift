import Storage

/// How records of a data file are laid out.
public enum DataFormat: String, CaseIterable, Sendable {
    /// Whatever the keys of the first record say.
    case auto
    /// `instruction`, `output` and, if there is one, `input`.
    case alpaca
    /// `prompt` and `completion`.
    case completions
    /// `messages`, or the `conversations` of ShareGPT, the last of them the assistant's.
    case chat
    /// `text`, all of which is learnt.
    case text
    /// `prompt_ids` and `response_ids`, taken as they are.
    case ids

    /// Whether records hold text, which a tokenizer must turn into ids.
    public var needsTokenizer: Bool { self != .ids }

    /// The keys that mark a format, the most telling first: Alpaca sets often carry a `text` too.
    private static let marks: [(format: DataFormat, keys: [String])] = [
        (.ids, ["prompt_ids", "response_ids"]), (.chat, ["messages"]), (.chat, ["conversations"]),
        (.alpaca, ["instruction"]), (.completions, ["prompt", "completion"]), (.text, ["text"]),
    ]

    /// The fields that some format reads.
    static let fields = Set(
        marks.flatMap(\.keys) + ["input", "output", "system", "tools"])

    /// The format that a record's keys tell.
    ///
    /// - Parameter record: The first record of the data.
    /// - Throws: ``DataError/unknownFormat(place:keys:)``.
    public init(detecting record: JSONRecord) throws {
        let found = DataFormat.marks.first { mark in
            mark.keys.allSatisfy { record.object[$0] != nil }
        }
        guard let found else {
            throw DataError.unknownFormat(place: record.place, keys: record.object.keys)
        }
        self = found.format
    }
}
