import Python
import Storage

extension NativeFunction {
    /// HellaSwag: the scene and its endings, cleaned of marks.
    static let hellaSwag = [
        NativeFunction(
            name: "utils.process_docs", home: "hellaswag",
            python: "07d23b60b28f2a4f658dcf8440623a63fe6644854ce9b846a114dde980dc1214",
            body: .document { document in
                let fields = document.fields
                let second = try fields.string("ctx_b").pythonCapitalized
                let scene = (try fields.string("ctx_a")) + " " + second
                var object = document.object
                object["query"] = .string(
                    cleaned((try fields.string("activity_label")) + ": " + scene))
                object["choices"] = .array(
                    try fields.strings("endings").map { .string(cleaned($0)) })
                object["gold"] = .integer(try label(of: document))
                return object
            })
    ]

    private static func cleaned(_ text: String) -> String {
        let marked = text.stripped.replacing(" [title]", with: ". ", count: -1)
        return withoutBrackets(marked).replacing("  ", with: " ", count: -1)
    }

    /// Python's `re.sub(r"\[.*?\]", "", text)`: every shortest pair of brackets on one line.
    private static func withoutBrackets(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let open = rest.firstIndex(of: "[") {
            result.append(contentsOf: rest[..<open])
            let inside = rest[rest.index(after: open)...]
            if let end = inside.firstIndex(where: { $0 == "]" || $0 == "\n" }), inside[end] == "]" {
                rest = inside[inside.index(after: end)...]
            } else {
                result.append("[")
                rest = inside
            }
        }
        result.append(contentsOf: rest)
        return String(result)
    }

    /// Python's `int(label)`.
    private static func label(of document: Document) throws -> Int {
        let value = try document.fields.value("label")
        if let number = value.asInteger { return number }
        if let text = value.stringValue, let number = Int(text.stripped) { return number }
        throw EvaluationError.value(
            place: document.place, task: "hellaswag", field: "label",
            found: value.stringValue.map { quoted($0) } ?? value.kind, expected: "an integer")
    }
}
