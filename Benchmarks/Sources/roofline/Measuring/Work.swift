/// What a piece of work needs at least, whatever the program does.
struct Work: Codable {
    /// Arithmetic operations of 32-bit floats; a multiply-add counts as two, and so does any other
    /// vector instruction, since it takes a multiply-add's place.
    var flops: Double = 0
    /// Arithmetic operations in dot products of bfloat16.
    var bfloat16Flops: Double = 0
    /// Bytes read and written, every operand once.
    var bytes: Double = 0

    static func + (left: Work, right: Work) -> Work {
        Work(
            flops: left.flops + right.flops,
            bfloat16Flops: left.bfloat16Flops + right.bfloat16Flops,
            bytes: left.bytes + right.bytes)
    }

    static func * (left: Double, right: Work) -> Work {
        Work(
            flops: left * right.flops, bfloat16Flops: left * right.bfloat16Flops,
            bytes: left * right.bytes)
    }
}

/// Vector instructions of one element, each worth two operations in ``Work``.
enum Instructions {
    /// An exponential: bounds, rounding, a polynomial of degree 6, the power of two.
    static let exponential = 15.0
    /// `1 / (1 + exp(-x))`: the exponential, an addition and a division, which takes about eight.
    static let sigmoid = exponential + 9
    /// `log(1 + exp(x))`: the exponential, a logarithm of about the same length.
    static let softplus = exponential + 13

    /// A decay of the scan: a product, its fraction, a polynomial of degree 5, the power of two.
    static let decay = 8.0
    /// A step of the scan for one state of one channel: the decay, and four multiply-adds for
    /// state and output.
    static let scanForward = decay + 3
    /// Its gradient: the decay, the state and the output again, and the gradients of state, decay,
    /// step, B, C.
    static let scanBackward = decay + 3 + 8
    /// What the scan does to a channel's step and gate.
    static let scanActivations = softplus + sigmoid
}
