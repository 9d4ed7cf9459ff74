import Storage

/// What one document contributes to a metric.
public enum MetricValue: Equatable, Sendable {
    /// 1.0 for a hit and 0.0 for a miss, or any other number.
    case number(Double)
    /// The same, where the harness writes an integer.
    case integer(Int)
    /// A log-likelihood and the number of words or bytes it is spread over.
    case weighted(Double, weight: Int)
    /// The right class and the class chosen.
    case classes(gold: Int, predicted: Int)
    /// The right class and the probabilities of all.
    case probabilities(gold: Int, [Double])

    /// The value as the samples' file holds it.
    public var json: JSONValue {
        switch self {
        case .number(let value): .number(value)
        case .integer(let value): .integer(value)
        case .weighted(let value, let weight): [.number(value), .integer(weight)]
        case .classes(let gold, let predicted): [.integer(gold), .integer(predicted)]
        case .probabilities(let gold, let values):
            [.integer(gold), .array(values.map { .number($0) })]
        }
    }

    /// Reads what ``json`` wrote.
    ///
    /// - Parameter json: A value of a sample.
    public init?(_ json: JSONValue) {
        switch json {
        case .number(let value): self = .number(value)
        case .integer(let value): self = .integer(value)
        case .array(let items) where items.count == 2:
            switch (items[0], items[1]) {
            case (.integer(let gold), .integer(let predicted)):
                self = .classes(gold: gold, predicted: predicted)
            case (.number(let value), .integer(let weight)):
                self = .weighted(value, weight: weight)
            case (.integer(let gold), .array(let values)):
                self = .probabilities(gold: gold, values.compactMap(\.numberValue))
            default: return nil
            }
        default: return nil
        }
    }

    /// The value if it is a single number.
    public var number: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        case .weighted, .classes, .probabilities: nil
        }
    }
}
