import Python
import Storage

/// One question about an article.
private struct RaceProblem {
    let question: String
    let options: [String]
    /// The place of the answer among the options.
    let answer: Int

    var reply: String { options[answer] }

    /// The problems of a document: a Python literal in a text, as in the harness's copy of RACE.
    static func all(of document: Document) throws -> [RaceProblem] {
        func failure(_ problem: String) -> EvaluationError {
            .document(place: document.place, task: "race", problem: problem)
        }
        let literal: JSONValue
        do {
            literal = try JSONValue(PythonLiteral.parse(try document.fields.string("problems")))
        } catch let error as PythonLiteral.Failure {
            throw failure(
                "field 'problems' is no Python literal: character \(error.character): "
                    + error.problem)
        }
        guard let items = literal.arrayValue, !items.isEmpty else {
            throw failure("field 'problems' is no list of questions, expected at least one")
        }
        return try items.enumerated().map { index, item in
            guard let object = item.objectValue else {
                throw failure("question \(index + 1) is \(item.kind), expected a mapping")
            }
            let fields = JSONFields(object, place: "\(document.place): question \(index + 1)")
            let (options, letter) = (try fields.strings("options"), try fields.string("answer"))
            guard let answer = ["A", "B", "C", "D"].firstIndex(of: letter) else {
                throw failure(
                    "question \(index + 1) has the answer \(quoted(letter)), expected A to D")
            }
            guard options.count >= 4 else {
                throw failure("question \(index + 1) has \(options.count) options, expected 4")
            }
            return RaceProblem(
                question: try fields.string("question"), options: options, answer: answer)
        }
    }

    /// Whether the question ends in a gap that the answer fills.
    var endsInGap: Bool { question.unicodeScalars.suffix(6).elementsEqual("  _  .".unicodeScalars) }
}

extension NativeFunction {
    /// RACE: the last question of an article is asked, those before stand answered.
    static let race = [
        race("preprocess_race.doc_to_text") { document in
            // One blank of the gap stays.
            try text(of: document) { $0.slice(0, $0.scalarCount - 5) }
        },
        race("race_v2.doc_to_text") { document in
            try text(of: document) { $0.slice($0.scalarCount - 5) }
        },
        race("preprocess_race.doc_to_choice") { document in
            let problems = try RaceProblem.all(of: document)
            return .array(problems[problems.count - 1].options.prefix(4).map { .string($0) })
        },
        race("preprocess_race.doc_to_target") { document in
            let problems = try RaceProblem.all(of: document)
            return .integer(problems[problems.count - 1].answer)
        },
    ]

    private static func race(
        _ name: String, _ body: @escaping @Sendable (Document) throws -> JSONValue
    ) -> NativeFunction {
        NativeFunction(
            name: name, home: "",
            python: "15778ab69ca3b96c3d82618500ad59702ff7ea9dbf09e90e4505abc16ac53ad0",
            body: .field(body))
    }

    private static func text(
        of document: Document, gap: (String) -> String
    ) throws -> JSONValue {
        let problems = try RaceProblem.all(of: document)
        var text = "Article: " + (try document.fields.string("article")) + "\n\n"
        for problem in problems.dropLast() {
            text +=
                problem.endsInGap
                ? gap(problem.question) + problem.reply + "\n"
                : "Question: \(problem.question)\nAnswer: \(problem.reply)\n"
        }
        return .string(text + problems[problems.count - 1].question)
    }
}
