import Tensors

extension SplitMix64 {
    /// Creates one of many generators of a seed, such as one an epoch.
    ///
    /// - Parameters:
    ///   - seed: The seed of the run.
    ///   - purpose: What is drawn.
    ///   - path: Numbers that tell the stream apart from others of its purpose.
    init(seed: UInt64, _ purpose: Purpose, _ path: Int...) {
        self.init(seed: seed)
        for number in [purpose.rawValue] + path {
            self = SplitMix64(seed: next() &+ UInt64(bitPattern: Int64(number)))
        }
        self = SplitMix64(seed: next())
    }

    /// What a run draws; each has streams of its own.
    enum Purpose: Int {
        case order
        case heldOut
        case dropout
        case weights
    }

    /// A number drawn evenly from `0..<bound`, without bias.
    ///
    /// Spelt out, since the standard library does not promise to draw the same in every version.
    ///
    /// Source: Lemire 2019, "Fast Random Integer Generation in an Interval".
    ///
    /// - Parameter bound: At least 1.
    /// - Returns: The number.
    mutating func next(below bound: Int) -> Int {
        precondition(bound >= 1, "bound is \(bound), expected at least 1")
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// The numbers `0..<count` in random order, by Fisher and Yates from the last place down.
    mutating func permutation(of count: Int) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, next(below: last + 1))
        }
        return order
    }
}
