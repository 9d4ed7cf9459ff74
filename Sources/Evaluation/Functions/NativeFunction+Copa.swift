import Python
import Storage

extension NativeFunction {
    /// COPA: the premise with a connecting word; choices begin in lower case, after a blank.
    static let copa = [
        copa("doc_to_text") { document in
            let word =
                switch try document.fields.string("question") {
                case "cause": "because"
                case "effect": "therefore"
                case let other:
                    throw EvaluationError.value(
                        place: document.place, task: "copa", field: "question",
                        found: quoted(other), expected: "'cause' or 'effect'")
                }
            let premise = try document.fields.string("premise").stripped
            return .string(premise.slice(0, max(0, premise.scalarCount - 1)) + " " + word)
        },
        copa("doc_to_choice") { document in
            [try choice("choice1", of: document), try choice("choice2", of: document)]
        },
        copa("doc_to_target") { document in
            let label = try document.fields.value("label")
            return try choice(label.equalsInPython(0) ? "choice1" : "choice2", of: document)
        },
    ]

    private static func copa(
        _ name: String, _ body: @escaping @Sendable (Document) throws -> JSONValue
    ) -> NativeFunction {
        NativeFunction(
            name: "utils.\(name)", home: "copa",
            python: "0be98a907db647a518c42c916a61385b64f394cf9d0171b5cb86b7a036282de7",
            body: .field(body))
    }

    private static func choice(_ field: String, of document: Document) throws -> JSONValue {
        let text = try document.fields.string(field)
        guard !text.isEmpty else {
            throw EvaluationError.value(
                place: document.place, task: "copa", field: field, found: "empty",
                expected: "at least one character")
        }
        return .string(" " + text.slice(0, 1).pythonLowercase + text.slice(1))
    }
}
