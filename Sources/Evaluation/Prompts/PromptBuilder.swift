import Python
import Storage

/// Puts description, examples and question together.
///
/// Source: lm-evaluation-harness 0.4.13, `ConfigurableTask.fewshot_context` and `build_qa_turn`.
struct PromptBuilder {
    let fields: TaskFields
    /// Whether choices are contexts and the target is what all of them are scored on.
    let hasMultipleInputs: Bool
    /// Put before everything.
    let systemInstruction: String?

    private var task: TaskConfiguration { fields.task }

    /// The context of a document, or one for each choice.
    func contexts(_ document: Document, examples: [Document]) throws -> [String] {
        var head = Self.joined(
            systemInstruction ?? "", try fields.text(task.description, document, "description"),
            task.fewShot.delimiter)
        for example in examples { head += try turn(example) }
        let prefix = try fields.text(task.prefix, document, "gen_prefix")
        if hasMultipleInputs {
            return try fields.choices(document).map { choice in
                head + Self.question(choice, prefix: prefix, delimiter: "") + prefix
            }
        }
        guard case .text(let question) = try fields.question(document) else {
            throw EvaluationError.value(
                place: document.place, task: task.name, field: "doc_to_text", found: "an integer",
                expected: "text")
        }
        return [
            head + Self.question(question, prefix: prefix, delimiter: task.targetDelimiter) + prefix
        ]
    }

    /// An example with its answer.
    private func turn(_ example: Document) throws -> String {
        let settings = task.fewShot
        let choices = settings.choices == nil ? nil : try fields.choices(example, settings.choices)
        let target = try fields.target(example, settings.target)
        let prefix = try fields.text(settings.prefix, example, "gen_prefix")
        let question: String
        var answerChoices = choices
        switch try fields.question(example, settings.text) {
        case .text(let text) where !hasMultipleInputs: question = text
        case .index(let index) where hasMultipleInputs:
            question = try choice(index, of: choices ?? [], example, "doc_to_text")
            answerChoices = nil
        case .text: throw failure(example, "doc_to_text", "text", expected: "an index of choices")
        case .index: throw failure(example, "doc_to_text", "an integer", expected: "text")
        }
        let answer = try self.answer(target, answerChoices, example)
        guard let answer else {
            return Self.question(question, prefix: prefix, delimiter: settings.targetDelimiter)
                + prefix
        }
        let joint =
            prefix.isEmpty
            ? question + settings.targetDelimiter
            : Self.question(question, prefix: prefix, delimiter: settings.targetDelimiter)
        return joint + Self.joined(prefix, answer, " ") + settings.delimiter
    }

    /// The answer as text; nil if there is none.
    private func answer(
        _ target: JSONValue, _ choices: [String]?, _ example: Document
    ) throws -> String? {
        if target.isNull { return nil }
        if let index = target.asInteger, let choices, !choices.isEmpty {
            return try choice(index, of: choices, example, "doc_to_target")
        }
        let value = target.arrayValue?.first ?? target
        guard let text = value.stringValue else {
            throw failure(example, "doc_to_target", value.kind, expected: "text")
        }
        return text.isEmpty && target.arrayValue == nil ? nil : text
    }

    /// Python's `choices[index]`, which counts from the end below zero.
    private func choice(
        _ index: Int, of choices: [String], _ example: Document, _ field: String
    ) throws -> String {
        let place = index < 0 ? index &+ choices.count : index
        guard choices.indices.contains(place) else {
            throw failure(
                example, field, "\(index)", expected: "an index of \(choices.count) choices")
        }
        return choices[place]
    }

    private func failure(
        _ document: Document, _ field: String, _ found: String, expected: String
    ) -> EvaluationError {
        .value(
            place: document.place, task: task.name, field: field, found: found, expected: expected)
    }

    /// A question with what separates it from a prefix of the answer.
    private static func question(_ text: String, prefix: String, delimiter: String) -> String {
        let needsDelimiter =
            !prefix.isEmpty && !text.isEmpty && !text.endsWithSpace && !prefix.startsWithSpace
        return needsDelimiter ? text + delimiter : text
    }

    /// Two texts with a delimiter between, unless one is empty or there is white space at the joint.
    private static func joined(_ first: String, _ second: String, _ delimiter: String) -> String {
        if first.isEmpty || second.isEmpty || first.endsWithSpace || second.startsWithSpace {
            return first + second
        }
        return first + delimiter + second
    }
}

/// Picks the examples of prompts, as lm-evaluation-harness does.
///
/// One generator serves a whole task: the examples of a document depend on all draws before it.
///
/// Source: lm-evaluation-harness 0.4.13, `api/samplers.py`.
struct ExampleSampler {
    /// How a document is kept from being its own example.
    enum Exclusion {
        /// It is not: the pool holds other documents, or the harness lets it.
        case none
        /// As in the harness: one more is drawn, and those equal to the document are dropped.
        case drawsOneMore
        /// The next one of the pool takes its place; the draws of other documents stay as they are.
        case replaces
    }

    private let task: String
    private let sampler: TaskConfiguration.FewShot.Sampler
    private let pool: [Document]
    private let exclusion: Exclusion
    private var random: PythonRandom

    /// Prepares to pick.
    ///
    /// - Parameters:
    ///   - pool: What examples are picked from.
    ///   - exclusion: How documents equal to the one asked are left out.
    ///   - task: The task, for its sampler and for messages.
    ///   - seed: The seed of the generator.
    init(pool: [Document], exclusion: Exclusion, task: TaskConfiguration, seed: UInt64) {
        self.pool = pool
        self.exclusion = exclusion
        self.task = task.name
        sampler = task.fewShot.sampler
        random = PythonRandom(seed: seed)
    }

    /// Picks examples for a document.
    ///
    /// - Throws: ``EvaluationError/fewExamples(task:found:expected:)``.
    mutating func pick(_ count: Int, for document: Document) throws(EvaluationError) -> [Document] {
        guard count > 0 else { return [] }
        func others(_ documents: [Document]) -> [Document] {
            documents.filter { !$0.object.equalsInPython(document.object) }
        }
        switch sampler {
        case .first:
            let candidates = exclusion == .none ? pool : others(pool)
            guard candidates.count >= count else {
                throw .fewExamples(task: task, found: candidates.count, expected: count)
            }
            return Array(candidates.prefix(count))
        case .random:
            guard exclusion != .none, !document.object.isEmpty else {
                return try draw(count, from: pool)
            }
            if exclusion == .replaces { return try replacing(document, count) }
            let drawn = others(try draw(count + 1, from: pool))
            if drawn.count >= count { return Array(drawn.prefix(count)) }
            // The document stands in the pool more than once.
            return try draw(count, from: others(pool))
        }
    }

    /// Draws, and puts the next documents of the pool in the place of those equal to the one asked.
    private mutating func replacing(
        _ document: Document, _ count: Int
    ) throws(EvaluationError) -> [Document] {
        guard pool.count >= count else {
            throw .fewExamples(task: task, found: pool.count, expected: count)
        }
        var drawn = random.sample(count, of: pool.count)
        func isOwn(_ place: Int) -> Bool {
            pool[place].object.equalsInPython(document.object)
        }
        for index in drawn.indices where isOwn(drawn[index]) {
            let next = (1..<pool.count).map { (drawn[index] + $0) % pool.count }
                .first { !drawn.contains($0) && !isOwn($0) }
            guard let next else {
                throw .fewExamples(task: task, found: pool.count - 1, expected: count)
            }
            drawn[index] = next
        }
        return drawn.map { pool[$0] }
    }

    private mutating func draw(
        _ count: Int, from pool: [Document]
    ) throws(EvaluationError) -> [Document] {
        guard pool.count >= count else {
            throw .fewExamples(task: task, found: pool.count, expected: count)
        }
        return random.sample(count, of: pool.count).map { pool[$0] }
    }
}
