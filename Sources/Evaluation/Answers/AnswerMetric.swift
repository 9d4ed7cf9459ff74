import Python
import RegularExpressions
import Storage

/// A metric of answers that a model wrote.
///
/// Source: lm-evaluation-harness 0.4.13, `exact_match_hf_evaluate` and `ConfigurableTask.process_results`.
enum AnswerMetric: Sendable {
    /// Whether answer and target are the same text.
    case exactMatch(ExactMatch)
    /// Both, for an aggregation of all documents.
    case pair
    /// A function of references and predictions, with arguments.
    case python(PythonFunction, keywords: JSONObject)
    /// Nothing.
    case bypass

    /// How texts are compared.
    struct ExactMatch: Sendable {
        var ignored: [RegularExpression] = []
        var ignoresCase = false
        var ignoresPunctuation = false
        var ignoresNumbers = false

        func cleaned(_ text: String) throws -> String {
            var text = text
            for pattern in ignored { text = try pattern.removing(from: text) }
            if ignoresCase { text = text.pythonLowercase }
            if ignoresPunctuation {
                // string.punctuation is all of ASCII that is no letter, digit, blank or control.
                text = String(
                    scalars: text.unicodeScalars.filter {
                        !($0.isASCII && $0.value > 0x20 && $0.value < 0x7F)
                            || $0.properties.isAlphabetic || $0.asciiDigitValue != nil
                    })
            }
            if ignoresNumbers {
                text = String(scalars: text.unicodeScalars.filter { $0.asciiDigitValue == nil })
            }
            return text
        }

        /// The share of the answers, one or a list, that are one of the targets in its place.
        func score(_ answer: JSONValue, _ targets: [JSONValue]) throws -> Double {
            let answers = answer.arrayValue ?? [answer]
            var (hits, count) = (0, 0)
            for answer in answers {
                for target in targets {
                    count += 1
                    guard let left = answer.stringValue, let right = target.stringValue else {
                        hits += answer.equalsInPython(target) ? 1 : 0
                        continue
                    }
                    hits += try cleaned(left).hasSameScalars(as: cleaned(right)) ? 1 : 0
                }
            }
            return count == 0 ? .nan : Double(hits) / Double(count)
        }
    }
}

extension DocumentMetrics {
    /// An answer that a model wrote.
    ///
    /// - Parameters:
    ///   - answer: What the filters made of it.
    ///   - document: The document.
    ///   - fields: Makes the target of it.
    ///   - hasMultipleTargets: Whether targets are lists of which any counts.
    /// - Throws: ``EvaluationError``, ``PythonError``, or an error of a regular expression.
    init(
        answer: JSONValue, of document: Document, _ fields: TaskFields, hasMultipleTargets: Bool
    ) throws {
        let task = fields.task
        var gold = try fields.target(document)
        func failure(_ problem: String) -> EvaluationError {
            .filter(place: document.place, problem: problem)
        }
        if task.choices != nil {
            let choices = try fields.choices(document)
            let index = gold.asInteger.map { $0 < 0 ? $0 + choices.count : $0 }
            guard let index, choices.indices.contains(index) else {
                throw failure("target is \(gold.kind), expected the index of a choice")
            }
            gold = .string(choices[index])
        } else if !hasMultipleTargets {
            gold = try Self.cast(gold, like: answer, failure)
        }
        let targets = hasMultipleTargets ? gold.arrayValue ?? [gold] : [gold]
        for metric in task.metrics {
            switch metric.ofAnswers {
            case .exactMatch(let comparison)?:
                let score = try comparison.score(answer, targets)
                append(
                    metric.name, .number(hasMultipleTargets ? (score > 0 ? 1 : 0) : score))
            case .pair?:
                // Of several targets, the pair of each counts as true in the harness.
                append(
                    metric.name,
                    hasMultipleTargets ? .number(1) : .other([gold, answer.withoutPythonMarks]))
            case .bypass?: append(metric.name, .other(.null))
            case .python(let function, let keywords)?:
                let scores = try targets.map {
                    try function.ask("metric", [$0, answer], keywords: keywords)
                }
                guard let first = scores.first else { continue }
                if hasMultipleTargets {
                    let isAny = scores.contains { ($0[metric.name.rawValue] ?? $0).isTrueInPython }
                    append(metric.name, .number(isAny ? 1 : 0))
                } else if let members = first.objectValue?.members, !first.isPythonMark {
                    for member in members {
                        append(MetricName(rawValue: member.key), MetricValue(python: member.value))
                    }
                } else {
                    append(metric.name, MetricValue(python: first))
                }
            case nil: break
            }
        }
    }

    /// Python's `type(answer)(gold)`.
    private static func cast(
        _ gold: JSONValue, like answer: JSONValue, _ failure: (String) -> EvaluationError
    ) throws -> JSONValue {
        switch answer {
        case .string: return .string(try gold.pythonText())
        case .array: return gold
        case .integer:
            let text = try gold.pythonText().stripped
            guard let number = gold.numberValue.map({ Int($0) }) ?? Int(text) else {
                throw failure("target \(quoted(text)) is no integer, as the answer is")
            }
            return .integer(number)
        case .number:
            let text = try gold.pythonText().stripped
            guard let number = gold.numberValue ?? Double(text) else {
                throw failure("target \(quoted(text)) is no number, as the answer is")
            }
            return .number(number)
        default:
            throw failure(
                "filtered answer is \(answer.kind), expected text, a number or a list")
        }
    }
}

extension JSONValue {
    /// Whether this stands for a value of Python that JSON does not know.
    fileprivate var isPythonMark: Bool {
        objectValue?.count == 1 && objectValue?.keys.first?.hasPrefix("!") == true
    }

    /// Python's `bool`.
    var isTrueInPython: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .number(let value): value != 0
        case .string(let text): !text.isEmpty
        case .array(let items): !items.isEmpty
        case .object(let object): !object.isEmpty
        }
    }
}
