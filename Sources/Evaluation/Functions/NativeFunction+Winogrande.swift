import Python
import Storage

extension NativeFunction {
    /// Winogrande: both options fill the gap in turn, in the context; what follows is scored.
    static let winogrande = [
        winogrande("doc_to_text") { document in
            switch try document.fields.string("answer") {
            case "1": 0
            case "2": 1
            case let other:
                throw EvaluationError.value(
                    place: document.place, task: "winogrande", field: "answer",
                    found: quoted(other), expected: "'1' or '2'")
            }
        },
        winogrande("doc_to_choice") { document in
            let (sentence, gap) = try gap(of: document)
            return .array(
                try ["option1", "option2"].map {
                    .string(sentence.slice(0, gap) + (try document.fields.string($0)))
                })
        },
        winogrande("doc_to_target") { document in
            let (sentence, gap) = try gap(of: document)
            return .string(sentence.slice(gap + 1).stripped)
        },
    ]

    private static func winogrande(
        _ name: String, _ body: @escaping @Sendable (Document) throws -> JSONValue
    ) -> NativeFunction {
        NativeFunction(
            name: "preprocess_winogrande.\(name)", home: "",
            python: "e55327629264a98f1d383fda24645b6779afb53fa0bce2150042b9416b1ae006",
            body: .field(body))
    }

    private static func gap(of document: Document) throws -> (sentence: String, gap: Int) {
        let sentence = try document.fields.string("sentence")
        guard let gap = sentence.unicodeScalars.firstIndex(of: "_") else {
            throw EvaluationError.document(
                place: document.place, task: "winogrande",
                problem: "field 'sentence' has no '_', expected one")
        }
        let scalars = sentence.unicodeScalars
        return (sentence, scalars.distance(from: scalars.startIndex, to: gap))
    }
}
