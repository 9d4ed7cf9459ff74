import Python
import Storage

extension NativeFunction {
    /// WSC: the pronoun is marked in the passage, and the question names pronoun and noun.
    static let wsc = [
        NativeFunction(
            name: "preprocess_wsc.default_doc_to_text", home: "",
            python: "af369d50024ef69d607630f79c70669b15d0501f3800be9ee46c98bb605d43fa",
            body: .field { document in
                let fields = document.fields
                let text = try fields.string("text")
                let (noun, pronoun) = (
                    try fields.string("span1_text"), try fields.string("span2_text")
                )
                let index = try fields.integer("span2_index")
                // Spans count words.
                let words = text.splitAtSpaces(limit: -1)
                let before =
                    (index < 0
                    ? words.dropLast(Int(clamping: index.magnitude)) : words.prefix(index))
                    .joined(separator: " ")
                let after = text.slice(before.scalarCount + pronoun.scalarCount + 1)
                let passage = detokenized("\(before) *\(pronoun)*\(after)")
                return .string(
                    "Passage: \(passage)\nQuestion: In the passage above, does the pronoun "
                        + "\"*\(pronoun)*\" refer to \"*\(noun)*\"?\nAnswer:")
            })
    ]

    private static func detokenized(_ text: String) -> String {
        let pairs = [
            (" n't", "n't"), (" )", ")"), ("( ", "("), ("\" ", "\""), (" \"", "\""),
        ]
        let text = pairs.reduce(text) { $0.replacing($1.0, with: $1.1, count: -1) }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            // A blank before one of these marks goes; one mark takes one blank.
            if "'.,".unicodeScalars.contains(scalar), result.last == " " { result.removeLast() }
            result.append(scalar)
        }
        return String(result)
    }
}
