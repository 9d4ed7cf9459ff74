import Glibc

/// Round places on an axis, and the stretch of numbers that it shows.
struct Ticks: Equatable {
    /// The least number on the axis.
    let lower: Double
    /// The greatest number on the axis.
    let upper: Double
    /// The places, in order, `lower` and `upper` among them if those are round.
    let values: [Double]
    private let step: Double

    /// Places from 1, 2 or 5 times a power of ten.
    ///
    /// - Parameters:
    ///   - least: The least number to be shown; finite.
    ///   - greatest: The greatest; where both are the same, the axis reaches beyond them.
    ///   - count: About how many intervals.
    ///   - isWhole: Whether only whole numbers make sense.
    ///   - isExact: Whether the axis ends where the numbers do, instead of at round places.
    init(
        _ least: Double, _ greatest: Double, count: Int = 4, isWhole: Bool = false,
        isExact: Bool = false
    ) {
        var (least, greatest) = (min(least, greatest), max(least, greatest))
        if greatest - least <= max(abs(greatest), abs(least)) * 1e-12 {
            // One number only: from zero, or around zero.
            if greatest > 0 { least = 0 } else if least < 0 { greatest = 0 } else { greatest = 1 }
        }
        let rough = (greatest - least) / Double(max(count, 1))
        let power = pow(10, log10(rough).rounded(.down))
        var step = power * ([1, 2, 5, 10].first { $0 * power >= 0.8 * rough } ?? 10)
        if isWhole { step = max(step.rounded(.up), 1) }
        let first = (least / step + 1e-9).rounded(.down)
        let last = (greatest / step - 1e-9).rounded(.up)
        let places = stride(from: first, through: last, by: 1).map { $0 * step }
        (lower, upper) =
            isExact
            ? (least, greatest) : (min(first * step, least), max(last * step, greatest))
        let (start, end, slack) = (lower, upper, step * 1e-9)
        values = places.filter { $0 >= start - slack && $0 <= end + slack }
        self.step = step
    }

    /// What stands at a place; all labels of an axis have as many decimals, or one exponent.
    func label(_ value: Double) -> String {
        if value == 0 { return "0" }
        let exponent = Int(log10(max(abs(lower), abs(upper))).rounded(.down))
        let stepExponent = Int((log10(step) + 1e-9).rounded(.down))
        if exponent < -3 || exponent >= 7 {
            return FigureText.fixed(
                value / pow(10, Double(exponent)), decimals: max(0, exponent - stepExponent))
                + "e\(exponent)"
        }
        return FigureText.fixed(value, decimals: max(0, -stepExponent))
    }

    /// How far along the axis a number lies, from 0 to 1.
    func fraction(_ value: Double) -> Double { (value - lower) / (upper - lower) }
}
