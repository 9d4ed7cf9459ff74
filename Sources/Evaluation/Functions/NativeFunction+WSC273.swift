import Python
import Storage

extension NativeFunction {
    /// WSC273: options in the form that fits the pronoun's place.
    static let wsc273 = [
        NativeFunction(
            name: "utils.process_doc", home: "wsc273",
            python: "2c295d37e8d75f58a5ce948839d20cb9971d1c0d7627878291bebd4584c63507",
            body: .document { document in
                let fields = document.fields
                let text = try fields.string("text").replacing("  ", with: " ", count: -1)
                let options = try fields.strings("options")
                guard options.count >= 2 else {
                    throw EvaluationError.value(
                        place: document.place, task: "wsc273", field: "options",
                        found: "\(options.count) texts", expected: "2")
                }
                let form = OptionForm(
                    pronoun: try fields.string("pronoun").pythonLowercase,
                    beginsSentence: try beginsSentence(
                        text, at: try fields.integer("pronoun_loc"), document))
                var object = document.object
                object["text"] = .string(text)
                object["options"] = .array(
                    try options.enumerated().map { index, option in
                        .string(index < 2 ? try form.apply(to: option, document) : option)
                    })
                return object
            })
    ]

    /// Whether the character two before the pronoun is a full stop; places before the text count
    /// from its end, as in Python.
    private static func beginsSentence(
        _ text: String, at location: Int, _ document: Document
    ) throws -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard (2 - scalars.count..<2 + scalars.count).contains(location) else {
            throw EvaluationError.value(
                place: document.place, task: "wsc273", field: "pronoun_loc",
                found: "\(location)", expected: "a place in the text of \(scalars.count) characters"
            )
        }
        let place = location - 2
        return scalars[place < 0 ? place + scalars.count : place] == "."
    }

    private struct OptionForm {
        let pronoun: String
        let beginsSentence: Bool

        func apply(to option: String, _ document: Document) throws -> String {
            let isPossessive = ["my", "his", "her", "our", "their"].contains(pronoun)
            let option = isPossessive ? option + "'s" : option
            guard let first = option.splitAtSpaces(limit: -1).first else {
                throw EvaluationError.value(
                    place: document.place, task: "wsc273", field: "options", found: "blank",
                    expected: "text")
            }
            let upper = [
                "A", "An", "The", "She", "He", "It", "They", "My", "His", "Her", "Their",
            ]
            guard !beginsSentence, upper.contains(first) else { return option }
            return option.replacing(first, with: first.lowercased(), count: -1)
        }
    }
}
