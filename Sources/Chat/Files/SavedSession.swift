import MambaLM
import Prompting
import Storage

/// What a saved session's file says beside the state: the JSON text under the metadata key `session`.
///
/// The file is that of a state, see ``SequenceState``; one without a state has no tensors.
struct SavedSession {
    /// The metadata key of the text.
    static let key = "session"
    /// The metadata key of ``digest``.
    static let digestKey = "session_digest"
    private static let version = 2

    /// The fingerprint of the model.
    var model: String
    /// The name of the template.
    var template: String
    /// How answers are drawn.
    var settings: ChatSettings
    /// How many answers were drawn with the seed.
    var drawnReplies: Int
    /// The branches; of what they have read only the current one's newest place is in the file.
    var branches: [(name: String, branch: Branch)]
    /// The place of the current branch.
    var current: Int
    /// What the state in the file has read.
    var read: (exchanges: Int, tokens: [Int32])?

    /// All token ids.
    var ids: [Int32] {
        branches.flatMap { $0.branch.answers.flatMap { $0 ?? [] } } + (read?.tokens ?? [])
    }

    /// The text.
    var text: String {
        var object: JSONObject = [
            "version": .integer(Self.version), "model": .string(model),
            "template": .string(template), "settings": .object(settings.json),
            "drawn_replies": .integer(drawnReplies), "current": .integer(current),
            "branches": .array(branches.map { .object(Self.json($0.name, $0.branch)) }),
        ]
        if let read {
            object["read"] = [
                "exchanges": .integer(read.exchanges), "ids": .ids(read.tokens),
            ]
        }
        return JSONWriter(escapesNonASCII: false, isCompact: true).string(.object(object))
    }

    /// A hash of the text.
    var digest: String { Self.digest(of: text) }

    /// A hash of a text.
    static func digest(of text: String) -> String { XXH64.text(of: XXH64.hash(text)) }

    private static func json(_ name: String, _ branch: Branch) -> JSONObject {
        let exchanges = zip(branch.transcript.exchanges, branch.answers).map {
            exchange, tokens in
            JSONValue.object([
                "question": .string(exchange.question),
                "answer": exchange.answer.map { .string($0) } ?? .null,
                "ids": tokens.map { .ids($0) } ?? .null,
            ])
        }
        return [
            "name": .string(name),
            "system": branch.transcript.system.map { .string($0) } ?? .null,
            "exchanges": .array(exchanges),
        ]
    }

    /// Reads the text, all of which must make sense.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - digest: The ``digest`` that was written with it; sessions of version 1 have none.
    ///   - file: For messages.
    /// - Throws: ``ChatError`` or `JSONError`.
    init(_ text: String, digest: String?, file: String) throws {
        let options = JSONOptions(refusesDuplicateKeys: true)
        let fields = try JSONFields(
            JSONValue(parsing: text, file: file, options: options), file: file)
        func refuse(_ reason: String) -> ChatError { .notSession(file: file, reason: reason) }
        let version = try fields.integer("version")
        guard version <= Self.version else {
            throw ChatError.newerSession(file: file, found: version, known: Self.version)
        }
        guard version >= 1 else {
            throw refuse("version is \(version), expected 1 to \(Self.version)")
        }
        guard version == 1 || digest == Self.digest(of: text) else {
            throw refuse("its text is damaged: it does not have the digest written with it")
        }
        model = try fields.string("model")
        template = try fields.string("template")
        do {
            settings = try ChatSettings(fields.object("settings"))
            try settings.validate()
        } catch let error as ChatError {
            throw refuse("\(error)")
        }
        drawnReplies = try fields.integer("drawn_replies")
        current = try fields.integer("current")
        branches = try fields.objects("branches").map {
            (try $0.string("name"), try Self.branch($0))
        }
        // More answers than anyone asks for; so many can be added to without overflow.
        guard (0...1 << 53).contains(drawnReplies), branches.indices.contains(current) else {
            throw refuse("field 'current' or 'drawn_replies' is out of range")
        }
        let names = branches.map(\.name)
        guard !names.contains(""), Set(names).count == names.count else {
            throw refuse("two branches have one name, or one has none")
        }
        if let object = try fields.object(ifPresent: "read") {
            let exchanges = try object.integer("exchanges")
            guard exchanges >= 1, exchanges <= branches[current].branch.count else {
                throw refuse("field 'read.exchanges' is \(exchanges), out of range")
            }
            read = (exchanges, try object.ids("ids"))
        }
    }

    /// Groups what is saved.
    init(
        model: String, template: String, settings: ChatSettings, drawnReplies: Int,
        branches: [(name: String, branch: Branch)], current: Int,
        read: (exchanges: Int, tokens: [Int32])?
    ) {
        self.model = model
        self.template = template
        self.settings = settings
        self.drawnReplies = drawnReplies
        self.branches = branches
        self.current = current
        self.read = read
    }

    private static func branch(_ fields: JSONFields) throws -> Branch {
        let exchanges = try fields.objects("exchanges")
        var branch = Branch(
            Transcript(
                system: try fields.string(ifPresent: "system"),
                exchanges: try exchanges.map {
                    Transcript.Exchange(
                        question: try $0.string("question"), answer: try $0.string("answer"))
                }))
        branch.answers = try exchanges.map {
            $0.isPresent("ids") ? try $0.ids("ids") : nil
        }
        return branch
    }
}

extension JSONFields {
    /// Token ids.
    func ids(_ field: String) throws -> [Int32] {
        try integers(field).map {
            guard let id = Int32(exactly: $0), id >= 0 else {
                throw ChatError.notSession(
                    file: place, reason: "field '\(name(of: field))' holds id \($0)")
            }
            return id
        }
    }
}

extension JSONValue {
    /// Token ids.
    static func ids(_ tokens: [Int32]) -> JSONValue { .array(tokens.map { .integer(Int($0)) }) }
}
