import Tensors

/// How many records are held out for validation.
public enum ValidationSize: Equatable, Sendable {
    /// None.
    case none
    /// A part of all records, above 0 and below 1; rounded up.
    case fraction(Double)
    /// So many, at least 1.
    case count(Int)

    /// Reads a number as users give it: 0 for none, below 1 a fraction, else a count.
    ///
    /// Nil if the number is negative, not finite or a count that is not whole.
    ///
    /// - Parameter number: The number.
    public init?(_ number: Double) {
        guard number >= 0, let whole = number < 1 ? 0 : Int(exactly: number) else { return nil }
        self = number == 0 ? .none : number < 1 ? .fraction(number) : .count(whole)
    }

    /// The number as users give it.
    public var number: Double {
        switch self {
        case .none: 0
        case .fraction(let fraction): fraction
        case .count(let count): Double(count)
        }
    }

    /// Holds records out, drawn by the seed; both parts keep the order of the data.
    ///
    /// - Parameters:
    ///   - records: All records.
    ///   - seed: The seed of the run.
    /// - Returns: The records to train on and those held out.
    /// - Throws: ``DataError/nothingLeft(records:heldOut:)``.
    public func split(
        _ records: [TrainingRecord], seed: UInt64
    ) throws -> (training: [TrainingRecord], validation: [TrainingRecord]) {
        let count: Int
        switch self {
        case .none: return (records, [])
        case .fraction(let fraction):
            count = Int((fraction * Double(records.count)).rounded(.up))
        case .count(let wanted): count = wanted
        }
        guard count < records.count else {
            throw DataError.nothingLeft(records: records.count, heldOut: count)
        }
        var generator = SplitMix64(seed: seed, .heldOut)
        let heldOut = Set(generator.permutation(of: records.count).prefix(count))
        var parts: (training: [TrainingRecord], validation: [TrainingRecord]) = ([], [])
        for (index, record) in records.enumerated() {
            if heldOut.contains(index) {
                parts.validation.append(record)
            } else {
                parts.training.append(record)
            }
        }
        return parts
    }
}
