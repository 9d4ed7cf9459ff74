import Jinja
import Python
import Storage

/// Makes a task's texts of its documents.
///
/// Source: lm-evaluation-harness 0.4.13, `ConfigurableTask.doc_to_text` and its kin.
struct TaskFields: Sendable {
    /// The question of a document.
    enum Question: Equatable {
        /// A text.
        case text(String)
        /// The index of the right choice, where choices are contexts.
        case index(Int)
    }

    let task: TaskConfiguration
    /// The names of the data set's columns: a template of such a name is the field itself.
    let columns: Set<String>

    /// What a document's question is.
    func question(_ document: Document, _ field: DocumentField? = nil) throws -> Question {
        guard let field = field ?? task.text else { return .text("") }
        let value = try value(field, document, "doc_to_text") { text in
            // Not `? :`, in which nil would be the value null.
            guard text.isDigits, task.choices != nil else { return nil }
            return try literal(text, document, "doc_to_text")
        }
        if let index = value.asInteger { return .index(index) }
        if let text = value.stringValue { return .text(text) }
        throw failure(document, "doc_to_text", value, expected: "text")
    }

    /// What a document's target is: an integer, a text, a list, or what else its field holds.
    func target(_ document: Document, _ field: DocumentField? = nil) throws -> JSONValue {
        guard let field = field ?? task.target else { return .null }
        return try value(field, document, "doc_to_target") { text in
            if text.isDigits, task.choices != nil {
                return try literal(text, document, "doc_to_target")
            }
            guard text.utf8.count >= 2, text.hasPrefix("["), text.hasSuffix("]") else { return nil }
            return try? JSONValue(PythonLiteral.parse(text))
        }
    }

    /// The choices of a document.
    func choices(_ document: Document, _ field: DocumentField? = nil) throws -> [String] {
        guard let field = field ?? task.choices else { return [] }
        var value: JSONValue
        switch field {
        case .text(let name, let template) where !columns.contains(name):
            value = try list(template, document)
        default: value = try self.value(field, document, "doc_to_choice") { _ in nil }
        }
        if let object = value.objectValue { value = .array(object.members.map(\.value)) }
        guard let items = value.arrayValue else {
            throw failure(document, "doc_to_choice", value, expected: "a list")
        }
        let texts = items.compactMap(\.stringValue)
        guard texts.count == items.count else {
            let other = items.first { $0.stringValue == nil } ?? .null
            throw failure(document, "doc_to_choice", other, expected: "texts only")
        }
        guard !texts.isEmpty else {
            throw EvaluationError.value(
                place: document.place, task: task.name, field: "doc_to_choice",
                found: "an empty list", expected: "at least one choice")
        }
        return texts
    }

    /// A text that may be absent: a description, a prefix of answers.
    func text(_ field: DocumentField?, _ document: Document, _ name: String) throws -> String {
        guard let field else { return "" }
        let value = try value(field, document, name) { _ in nil }
        guard let text = value.stringValue else {
            throw failure(document, name, value, expected: "text")
        }
        return text
    }

    /// The value of a field; `reading` may see more than a text in what a template rendered.
    private func value(
        _ field: DocumentField, _ document: Document, _ name: String,
        reading: (String) throws -> JSONValue?
    ) throws -> JSONValue {
        switch field {
        case .constant(let value): return value
        case .function(let function): return try function(document)
        case .text(let text, let template):
            if columns.contains(text) {
                let value = document.object[text] ?? .null
                if value.isNull, name != "doc_to_target" {
                    throw EvaluationError.value(
                        place: document.place, task: task.name, field: name,
                        found: "column '\(text)', which is null here", expected: "a value")
                }
                return value
            }
            let rendered = try render(template, text, document, name)
            return try reading(rendered) ?? .string(rendered)
        }
    }

    private func render(
        _ template: Template?, _ text: String, _ document: Document, _ name: String
    ) throws -> String {
        guard let template else { return text }
        do {
            return try template.render(document.values)
        } catch let error as TemplateError {
            throw EvaluationError.template(
                place: document.place, task: task.name, field: name, problem: "\(error.reason)")
        }
    }

    /// A list made by a template: evaluated as such if it is one expression, else read from its text.
    private func list(_ template: Template?, _ document: Document) throws -> JSONValue {
        let text: String
        do {
            if let expression = template?.soleExpression {
                let value = try expression.evaluate(document.values)
                switch value.jsonValue {
                case .array(let items)?: return .array(items)
                case .string(let literal)?: text = literal
                case let other: return other ?? .null
                }
            } else {
                text = try template?.render(document.values) ?? ""
            }
        } catch let error as TemplateError {
            throw EvaluationError.template(
                place: document.place, task: task.name, field: "doc_to_choice",
                problem: "\(error.reason)")
        }
        return try literal(text, document, "doc_to_choice")
    }

    private func literal(_ text: String, _ document: Document, _ name: String) throws -> JSONValue {
        do {
            return try JSONValue(PythonLiteral.parse(text))
        } catch {
            throw EvaluationError.template(
                place: document.place, task: task.name, field: name,
                problem: "result is no Python literal: character \(error.character): "
                    + error.problem)
        }
    }

    private func failure(
        _ document: Document, _ name: String, _ found: JSONValue, expected: String
    ) -> EvaluationError {
        .value(
            place: document.place, task: task.name, field: name, found: found.kind,
            expected: expected)
    }
}
