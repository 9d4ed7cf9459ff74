import Python
import Storage

extension NativeFunction {
    /// WikiText: articles in ordinary spelling; words and bytes are counted on the original.
    static let wikiText = [
        NativeFunction(
            name: "preprocess_wikitext.wikitext_detokenizer", home: "", python: wikiTextPython,
            body: .field { .string(detokenized(try $0.fields.string("page"))) }),
        NativeFunction(
            name: "preprocess_wikitext.process_results", home: "", python: wikiTextPython,
            body: .results { document, logLikelihood in
                let page = try document.fields.string("page")
                let (words, bytes) = (page.whiteSpacePieces, page.utf8.count)
                return [
                    (.wordPerplexity, .weighted(logLikelihood, weight: words)),
                    (.bytePerplexity, .weighted(logLikelihood, weight: bytes)),
                    (.bitsPerByte, .weighted(logLikelihood, weight: bytes)),
                ]
            }),
    ]

    private static let wikiTextPython =
        "a44020374b172159bf5be80a64d2c4194c9d5c77284f696ac666361338c8da7d"

    private static func detokenized(_ page: String) -> String {
        func replace(_ text: String, _ pairs: [(String, String)]) -> String {
            pairs.reduce(text) { $0.replacing($1.0, with: $1.1, count: -1) }
        }
        var text = replace(
            page,
            [
                ("s '", "s'"), (" @-@ ", "-"), (" @,@ ", ","), (" @.@ ", "."), (" : ", ": "),
                (" ; ", "; "), (" . ", ". "), (" ! ", "! "), (" ? ", "? "), (" , ", ", "),
            ])
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("\"", "\""), ("'", "'")]
            as [(Unicode.Scalar, Unicode.Scalar)]
        {
            text = tightened(text, open, close)
        }
        return replace(
            text,
            [
                ("= = = =", "===="), ("= = =", "==="), ("= =", "=="), (" ° ", "°"), (" \n", "\n"),
                ("\n ", "\n"), (" N ", " 1 "), (" 's", "'s"),
            ])
    }

    /// Drops white space just inside pairs of marks, from left to right.
    ///
    /// A pair is an opening mark and the next closing one; what lies between may hold further opening
    /// marks. In the harness: `re.sub(r"\(\s*([^\)]*?)\s*\)", r"(\1)", text)`.
    private static func tightened(
        _ text: String, _ open: Unicode.Scalar, _ close: Unicode.Scalar
    ) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let start = rest.firstIndex(of: open) {
            let inside = rest[rest.index(after: start)...]
            guard let end = inside.firstIndex(of: close) else { break }
            result.append(contentsOf: rest[...start])
            let content = inside[..<end].drop(while: \.isPythonSpace)
            if let last = content.lastIndex(where: { !$0.isPythonSpace }) {
                result.append(contentsOf: content[...last])
            }
            result.append(close)
            rest = inside[inside.index(after: end)...]
        }
        result.append(contentsOf: rest)
        return String(result)
    }
}
