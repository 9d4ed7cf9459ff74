import CKernels

/// A depthwise causal convolution followed by SiLU, over every sequence of a batch.
///
///     pre[t] = bias + sum over k of weight[k] * x[t - width + 1 + k]
///     u[t]   = pre[t] / (1 + exp(-pre[t]))
///
/// Tokens before a sequence are zero, or those of its `history`.
///
/// Source: Gu and Dao 2023, "Mamba", section 3.4.
public enum CausalConvolution {
    /// The widest convolution the kernels take, in tokens.
    public static let greatestWidth = Int(MTL_CONVOLUTION_WIDTH)

    /// The operands of a whole batch, sequences one after the other.
    public struct Inputs {
        /// `[tokens, channels]`.
        public var x: Tensor
        /// `[channels, 1, width]`.
        public var weight: Tensor
        /// `[channels]`.
        public var bias: Tensor?
        /// The sequences, in order, covering all tokens.
        public var sequences: [Sequence]

        /// Groups the operands.
        public init(x: Tensor, weight: Tensor, bias: Tensor?, sequences: [Sequence]) {
            (self.x, self.weight, self.bias) = (x, weight, bias)
            self.sequences = sequences
        }
    }

    /// One sequence of a batch.
    public struct Sequence {
        /// Its rows in the batch.
        public var rows: Range<Int>
        /// The `width - 1` inputs before the first token, `[width - 1, channels]`; `nil` for zeros.
        public var history: Tensor?

        /// Describes one sequence.
        public init(rows: Range<Int>, history: Tensor? = nil) {
            (self.rows, self.history) = (rows, history)
        }
    }

    /// Where the gradients go: the one of `x` is overwritten, those of the parameters are added to.
    ///
    /// That of `x` may be the memory of `x`, or of the gradient by `u`.
    public struct Gradients {
        /// `[tokens, channels]`.
        public var x: Tensor
        /// `[channels, 1, width]`; `nil` if frozen.
        public var weight: Tensor?
        /// `[channels]`; `nil` if frozen or absent.
        public var bias: Tensor?

        /// Groups the gradients.
        public init(x: Tensor, weight: Tensor?, bias: Tensor?) {
            (self.x, self.weight, self.bias) = (x, weight, bias)
        }
    }
}

extension CPUEngine {
    /// See ``CausalConvolution``.
    public func convolve(_ x: CausalConvolution.Inputs, into u: Tensor) {
        precondition(x.x.shape == u.shape, "x is \(x.x.shape), u is \(u.shape)")
        let blocks = Blocks(channels: u.columns)
        run(blocks.count * x.sequences.count, work: u.count) { index, _ in
            let sequence = x.sequences[index / blocks.count]
            let channels = blocks[index % blocks.count]
            var convolution = mtl_convolution(x, sequence, channels: channels)
            mtl_convolve(
                isa, &convolution,
                u.matrix(row: sequence.rows.lowerBound, column: channels.lowerBound))
        }
    }

    /// See ``CausalConvolution``.
    public func convolveBackward(
        _ x: CausalConvolution.Inputs, gradU: Tensor, into gradients: CausalConvolution.Gradients
    ) {
        precondition(
            x.x.shape == gradU.shape && gradients.x.shape == gradU.shape,
            "x is \(x.x.shape), gradU is \(gradU.shape), gradX is \(gradients.x.shape)")
        let blocks = Blocks(channels: gradU.columns)
        let width = x.weight.columns
        func backward(_ sequence: CausalConvolution.Sequence, _ channels: Range<Int>) {
            var convolution = mtl_convolution(x, sequence, channels: channels)
            let (row, channel) = (sequence.rows.lowerBound, channels.lowerBound)
            mtl_convolve_backward(
                isa, &convolution, gradU.matrix(row: row, column: channel),
                gradients.x.matrix(row: row, column: channel),
                gradients.weight.map { $0.base + channel * width },
                gradients.bias.map { $0.base + channel })
        }
        if gradients.weight == nil && gradients.bias == nil {
            pool.run(blocks.count * x.sequences.count) { index, _ in
                backward(x.sequences[index / blocks.count], blocks[index % blocks.count])
            }
        } else {
            // Sequences add to the same gradient: one job takes them all, in order.
            pool.run(blocks.count) { index, _ in
                for sequence in x.sequences { backward(sequence, blocks[index]) }
            }
        }
    }
}

/// The channels, in the blocks that the kernel takes.
private struct Blocks {
    let channels: Int

    var count: Int {
        (channels + Int(MTL_CONVOLUTION_COLUMNS) - 1) / Int(MTL_CONVOLUTION_COLUMNS)
    }

    subscript(index: Int) -> Range<Int> {
        let size = Int(MTL_CONVOLUTION_COLUMNS)
        return index * size..<min((index + 1) * size, channels)
    }
}

extension mtl_convolution {
    fileprivate init(
        _ x: CausalConvolution.Inputs, _ sequence: CausalConvolution.Sequence, channels: Range<Int>
    ) {
        let (first, width) = (channels.lowerBound, x.weight.columns)
        self.init(
            x: x.x.matrix(row: sequence.rows.lowerBound, column: first),
            before: sequence.history?.matrix(column: first) ?? mtl_matrix(),
            weight: x.weight.base + first * width,
            bias: x.bias.map { UnsafePointer($0.base + first) },
            length: sequence.rows.count, channels: channels.count, width: width)
    }
}
