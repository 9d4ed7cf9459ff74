/// Numbers with a fixed number of decimals.
public enum Decimal {
    /// A number as `%.Nf` prints it.
    ///
    /// - Parameters:
    ///   - value: The number.
    ///   - places: The decimals, 1 to 9.
    /// - Returns: The text; `nan` and `inf` as they are.
    public static func text(_ value: Double, places: Int) -> String {
        let scale = (0..<places).reduce(1.0) { product, _ in product * 10 }
        let scaled = (abs(value) * scale).rounded(.toNearestOrEven)
        guard scaled.isFinite, scaled < 1e15 else { return "\(value)" }
        let (whole, part) = Int(scaled).quotientAndRemainder(dividingBy: Int(scale))
        let digits = String(part)
        return (value < 0 && scaled > 0 ? "-" : "") + "\(whole)."
            + String(repeating: "0", count: places - digits.count) + digits
    }
}
