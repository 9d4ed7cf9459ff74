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
