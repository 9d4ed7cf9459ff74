import Glibc

/// The learning rate of every step.
///
/// With `T` steps in all, `W` of warm-up, and `step` from 0, the rate is multiplied by
///
///     constant                1
///     constant_with_warmup    min(1, step / W)
///     linear                  step / W, then (T - step) / (T - W)
///     cosine                  step / W, then (1 + cos(pi * (step - W) / (T - W))) / 2
///
/// Source: the schedules of those names in Hugging Face's transformers; as there, the first step of
/// a warm-up has rate 0, and `constant` knows no warm-up.
public struct LearningRateSchedule: Equatable, Sendable {
    /// The form of the curve, by Hugging Face's names.
    public enum Kind: String, CaseIterable, Sendable {
        /// The same rate at every step.
        case constant
        /// A rise, then the same rate.
        case constantWithWarmup = "constant_with_warmup"
        /// A rise, then a straight fall to 0.
        case linear
        /// A rise, then half a cosine down to 0.
        case cosine

        /// Whether the rate depends on the number of steps in the run.
        public var dependsOnLength: Bool { self == .linear || self == .cosine }
    }

    private let kind: Kind
    private let peak: Double
    /// The steps of the rise; none where there is no rise.
    let warmup: Int
    private let total: Int

    /// Lays a schedule out.
    ///
    /// - Parameters:
    ///   - kind: The form of the curve.
    ///   - peak: The rate after the warm-up.
    ///   - warmup: The steps of the rise, at least 0; below 1 a fraction of `total`, rounded up.
    ///   - total: The number of steps in the run.
    public init(kind: Kind, peak: Double, warmup: Double, total: Int) {
        self.kind = kind
        self.peak = peak
        self.total = total
        let steps = warmup < 1 ? (warmup * Double(total)).rounded(.up) : warmup.rounded(.down)
        self.warmup = kind == .constant ? 0 : Int(min(steps, Double(Int32.max)))
    }

    /// The rate of a step, from 0.
    public func rate(at step: Int) -> Double { peak * factor(at: step) }

    private func factor(at step: Int) -> Double {
        if step < warmup { return Double(step) / Double(max(1, warmup)) }
        let length = Double(max(1, total - warmup))
        switch kind {
        case .constant, .constantWithWarmup: return 1
        case .linear: return max(0, Double(total - step) / length)
        case .cosine:
            let progress = Double(step - warmup) / length
            return max(0, 0.5 * (1 + cos(Double.pi * progress)))
        }
    }
}
