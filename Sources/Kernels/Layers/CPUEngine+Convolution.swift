import CKernels
import Tensors

extension CPUEngine {
    /// See ``CausalConvolution``.
    public func convolve(_ x: CausalConvolution.Inputs, into u: Tensor) {
        x.check()
        precondition(
            x.x.shape == u.shape && x.weight.columns <= Int(MTL_CONVOLUTION_WIDTH),
            "x is \(x.x.shape), u is \(u.shape), weight is \(x.weight.shape)")
        let blocks = Blocks(channels: u.columns)
        run(blocks.count * x.layout.rows.count, work: u.count) { index, _ in
            let sequence = index / blocks.count
            let channels = blocks[index % blocks.count]
            var convolution = mtl_convolution(x, sequence, channels: channels)
            mtl_convolve(
                isa, &convolution,
                u.matrix(row: x.layout.rows[sequence].lowerBound, column: channels.lowerBound))
        }
    }

    /// See ``CausalConvolution``.
    public func convolveBackward(
        _ x: CausalConvolution.Inputs, gradU: Tensor, into gradients: CausalConvolution.Gradients
    ) {
        x.check()
        precondition(
            x.x.shape == gradU.shape && gradients.x.shape == gradU.shape
                && x.weight.columns <= Int(MTL_CONVOLUTION_WIDTH),
            "x is \(x.x.shape), gradU is \(gradU.shape), gradX is \(gradients.x.shape)")
        let blocks = Blocks(channels: gradU.columns)
        let width = x.weight.columns
        func backward(_ sequence: Int, _ channels: Range<Int>) {
            var convolution = mtl_convolution(x, sequence, channels: channels)
            let (row, channel) = (x.layout.rows[sequence].lowerBound, channels.lowerBound)
            mtl_convolve_backward(
                isa, &convolution, gradU.matrix(row: row, column: channel),
                gradients.x.matrix(row: row, column: channel),
                gradients.weight.map { $0.base + channel * width },
                gradients.bias.map { $0.base + channel })
        }
        if gradients.weight == nil && gradients.bias == nil {
            pool.run(blocks.count * x.layout.rows.count) { index, _ in
                backward(index / blocks.count, blocks[index % blocks.count])
            }
        } else {
            // Sequences add to the same gradient: one job takes them all, in order.
            pool.run(blocks.count) { index, _ in
                for sequence in x.layout.rows.indices { backward(sequence, blocks[index]) }
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

extension CausalConvolution.Inputs {
    /// Stops unless the sequences cover the rows.
    fileprivate func check() {
        precondition(x.rows == layout.tokens, "\(x.rows) rows, the sequences have \(layout.tokens)")
        precondition(
            histories.isEmpty || histories.count == layout.rows.count,
            "\(histories.count) histories, \(layout.rows.count) sequences")
    }
}

extension mtl_convolution {
    fileprivate init(
        _ x: CausalConvolution.Inputs, _ sequence: Int, channels: Range<Int>
    ) {
        let (first, width) = (channels.lowerBound, x.weight.columns)
        let rows = x.layout.rows[sequence]
        self.init(
            x: x.x.matrix(row: rows.lowerBound, column: first),
            before: x.history(of: sequence)?.matrix(column: first) ?? mtl_matrix(),
            weight: x.weight.base + first * width,
            bias: x.bias.map { UnsafePointer($0.base + first) },
            length: rows.count, channels: channels.count, width: width)
    }
}
