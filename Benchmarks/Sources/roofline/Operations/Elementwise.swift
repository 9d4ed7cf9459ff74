import Tensors

/// Convolution and normalisation: a few operations an element.
struct Elementwise {
    let engine: any Engine
    let shape: ModelShape

    func operations(tokens: Int) -> [Operation] {
        [convolve(tokens), convolveBackward(tokens)]
            + [normalize(tokens), normalizeBackward(tokens)]
    }

    /// `floats` a channel read or written, `instructions` a channel, for all channels and tokens.
    private func work(_ tokens: Int, width: Int, floats: Double, instructions: Double) -> Work {
        let elements = Double(tokens) * Double(width)
        return Work(flops: 2 * elements * instructions, bytes: 4 * elements * floats)
    }

    private func convolution(_ tokens: Int) -> CausalConvolution.Inputs {
        CausalConvolution.Inputs(
            x: .random([tokens, 2 * shape.inner], 1).columns(0..<shape.inner),
            weight: .random([shape.inner, 1, shape.convolutionWidth], 2),
            bias: .random([shape.inner], 3), layout: BatchLayout([.init(length: tokens)]))
    }

    private func convolve(_ tokens: Int) -> Operation {
        Operation(
            name: "convolution", group: "Elementwise",
            work: work(
                tokens, width: shape.inner, floats: 2,
                instructions: Double(shape.convolutionWidth) + Instructions.sigmoid + 1),
            formula: "T·inner·(width + 25) vector instructions; 8·T·inner bytes"
        ) { [engine] in
            let inputs = convolution(tokens)
            let u = Tensor(shape: [tokens, shape.inner])
            return { engine.convolve(inputs, into: u) }
        }
    }

    private func convolveBackward(_ tokens: Int) -> Operation {
        Operation(
            name: "convolution, gradient", group: "Elementwise",
            work: work(
                tokens, width: shape.inner, floats: 3,
                instructions: 2 * Double(shape.convolutionWidth) + Instructions.sigmoid + 4),
            formula: "T·inner·(2·width + 28) vector instructions; 12·T·inner bytes"
        ) { [engine] in
            let inputs = convolution(tokens)
            let gradU = Tensor.random([tokens, shape.inner], 4)
            let gradX = Tensor(shape: [tokens, shape.inner])
            return {
                engine.convolveBackward(
                    inputs, gradU: gradU, into: .init(x: gradX, weight: nil, bias: nil))
            }
        }
    }

    private func normalize(_ tokens: Int) -> Operation {
        Operation(
            name: "RMSNorm", group: "Elementwise",
            work: work(tokens, width: shape.model, floats: 2, instructions: 3),
            formula: "3·T·model vector instructions; 8·T·model bytes"
        ) { [engine] in
            let inputs = RMSNorm.Inputs(
                x: .random([tokens, shape.model], 1), weight: .random([shape.model], 2),
                epsilon: 1e-5)
            let y = Tensor(shape: [tokens, shape.model])
            return { engine.normalize(inputs, into: y) }
        }
    }

    private func normalizeBackward(_ tokens: Int) -> Operation {
        Operation(
            name: "RMSNorm, gradient added", group: "Elementwise",
            work: work(tokens, width: shape.model, floats: 4, instructions: 6),
            formula: "6·T·model vector instructions; 16·T·model bytes"
        ) { [engine] in
            let inputs = RMSNorm.Inputs(
                x: .random([tokens, shape.model], 1), weight: .random([shape.model], 2),
                epsilon: 1e-5)
            let gradY = Tensor.random([tokens, shape.model], 3, scale: 1e-3)
            let gradX = Tensor(shape: [tokens, shape.model])
            return {
                engine.normalizeBackward(
                    inputs, gradY: gradY, adding: gradX, into: .init(x: gradX, weight: nil))
            }
        }
    }
}
