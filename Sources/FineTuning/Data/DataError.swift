import Storage

/// What can be wrong with instruction data, beyond what is wrong with a file or its JSON.
public enum DataError: Error, Equatable {
    /// The keys of the first record belong to no known format.
    case unknownFormat(place: String, keys: [String])
    /// A text that something is to be learnt from is empty.
    case emptyField(place: String, field: String, least: Int)
    /// A field is not one that the schema knows, and the schema allows no others.
    case unexpectedField(place: String, field: String)
    /// A record lacks a column that another name is given to.
    case missingColumn(place: String, column: String, keys: [String])
    /// The text that gives columns other names is not what it should be.
    case columns(found: String)
    /// A message's role is none of the known ones.
    case unknownRole(place: String, index: Int, found: String)
    /// Who speaks in a turn of ShareGPT's is nobody known.
    case unknownSpeaker(place: String, index: Int, found: String)
    /// A conversation does not end with the assistant.
    case noAnswer(place: String, lastRole: String?)
    /// A token id is not in the model's vocabulary.
    case outsideVocabulary(place: String, field: String, id: Int, vocabulary: Int)
    /// A record has no token that could be predicted from one before it.
    case nothingToScore(place: String)
    /// A folder is a model's or an adapter's.
    case notData(folder: String, found: String)
    /// A folder lacks a split that is needed.
    case missingSplit(folder: String, split: String)
    /// There is not one record.
    case noRecords(files: [String])
    /// Every record was dropped because of its length.
    case allDropped(count: Int, limit: Int)
    /// There are not as many weights as data sets.
    case weightCount(weights: Int, paths: Int)
    /// A weight is not one.
    case weight(Double)
    /// The weights leave no record.
    case allWeightedOut(records: Int)
    /// So many records are to be held out that none is left to train on.
    case nothingLeft(records: Int, heldOut: Int)
    /// Records hold text and there is no tokenizer.
    case noTokenizer(place: String)
    /// The tokenizer gave an id that the model does not have.
    case foreignToken(place: String, id: Int32, vocabulary: Int)
    /// The tokenizer names no end token.
    case noEndToken
}

extension DataError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .unknownFormat(let place, let keys):
            "\(place): record has the keys \(list(keys)), expected those of one of the formats "
                + "alpaca (instruction, output), completions (prompt, completion), "
                + "chat (messages), text (text) or ids (prompt_ids, response_ids); other names for "
                + "the same are given with --columns, as in instruction=question,output=answer"
        case .emptyField(let place, let field, let least):
            "\(place): field \(quoted(field)) is "
                + (least == 1 ? "empty, expected" : "too short, expected")
                + " at least \(least) character\(least == 1 ? "" : "s")"
        case .unexpectedField(let place, let field):
            "\(place): field \(quoted(field)) is unknown"
        case .missingColumn(let place, let column, let keys):
            "\(place): column \(quoted(column)), which --columns names, is missing, "
                + "expected one of \(list(keys))"
        case .columns(let found):
            "--columns is \(quoted(found)), expected NAME=COLUMN pairs such as "
                + "instruction=question,output=answer"
        case .unknownRole(let place, let index, let found):
            "\(place): field 'messages[\(index)].role' is \(quoted(found)), "
                + "expected 'system', 'user', 'assistant' or 'tool'"
        case .unknownSpeaker(let place, let index, let found):
            "\(place): field 'conversations[\(index)].from' is \(quoted(found)), expected one of "
                + list(RecordChecker.sharedRoles.keys.sorted())
        case .noAnswer(let place, let role):
            "\(place): field 'messages' "
                + (role.map { "ends with the role \(quoted($0))" } ?? "is empty")
                + ", expected the assistant's answer at the end"
        case .outsideVocabulary(let place, let field, let id, let vocabulary):
            "\(place): field \(quoted(field)) holds id \(id), "
                + "expected 0 to \(vocabulary - 1), the model's vocabulary"
        case .nothingToScore(let place):
            "\(place): record has no token to predict, expected a prompt or at least two tokens"
        case .notData(let folder, let found):
            "\(quotedPath(folder)): is \(found), expected training data: a file of records, or a folder "
                + "with train.jsonl"
        case .missingSplit(let folder, let split):
            "\(folder): has no '\(split)' file, expected \(split).jsonl, .json, .csv or .tsv, "
                + "each also with .zst or .gz, or .parquet, or parts (\(split)-00000-of-00002.parquet)"
        case .noRecords(let files):
            "\(files.joined(separator: ", ")): no records found"
        case .allDropped(let count, let limit):
            "none of \(count) records can be used with at most \(limit) tokens a record; "
                + "raise --max-seq-length"
        case .nothingLeft(let records, let heldOut):
            "\(heldOut) of \(records) records are to be held out, which leaves none to train on; "
                + "lower --val-size"
        case .weightCount(let weights, let paths):
            "--data-weights has \(weights) numbers, expected \(paths), one for each file or folder of --data"
        case .weight(let weight):
            "--data-weights has \(weight), expected numbers above 0 and at most 1000"
        case .allWeightedOut(let records):
            "none of \(records) records is left by --data-weights; raise a weight"
        case .noTokenizer(let place):
            "\(place): record holds text, but the model has no tokenizer; "
                + "add tokenizer.json to its folder"
        case .foreignToken(let place, let id, let vocabulary):
            "\(place): tokenizer gives id \(id), expected at most \(vocabulary - 1), "
                + "the model's last; the tokenizer is not the model's"
        case .noEndToken:
            "tokenizer names no end token; add eos_token to tokenizer_config.json"
        }
    }

    private func list(_ names: [String]) -> String {
        names.isEmpty ? "(none)" : names.map(quoted).joined(separator: ", ")
    }
}
