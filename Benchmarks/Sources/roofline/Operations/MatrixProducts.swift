import Tensors

/// The matrix products of the model: forward, and the gradient by the input.
struct MatrixProducts {
    let engine: any Engine
    let shape: ModelShape
    /// The type of the weights, in which they are also multiplied.
    let format: WeightMatrix.Format

    /// Name, inputs and outputs of the linear layers.
    private var layers: [(name: String, input: Int, output: Int)] {
        [
            ("in_proj", shape.model, 2 * shape.inner),
            ("x_proj", shape.inner, shape.projections),
            ("dt_proj", shape.stepRank, shape.inner),
            ("out_proj", shape.inner, shape.model),
            ("lm_head", shape.model, shape.vocabulary),
        ]
    }

    /// The products with `tokens` rows; the head's are computed in chunks, as the model does.
    func operations(tokens: Int) -> [Operation] {
        layers.flatMap { layer in
            let rows = layer.name == "lm_head" ? min(tokens, shape.logitRows) : tokens
            return [false, true].map { isGradient in
                operation(layer, isGradient: isGradient, rows: rows, times: tokens / rows)
            }
        }
    }

    /// A layer forward, or its gradient by the input.
    private func operation(
        _ layer: (name: String, input: Int, output: Int), isGradient: Bool, rows: Int, times: Int
    ) -> Operation {
        let (input, output) = (layer.input, layer.output)
        return Operation(
            name: "\(layer.name) \(input)→\(output)" + (isGradient ? ", gradient" : ""),
            group: group, work: Double(times) * Self.product(rows, input, output, format),
            formula: Self.formula(format)
        ) { [engine, format] in
            let x = Buffer.random(
                rows: rows, columns: isGradient ? output : input, 1, on: engine)
            let weight = engine.rounded(.random([output, input], 2), to: format)
            let y = Tensor(shape: [rows, isGradient ? input : output])
            return {
                for _ in 0..<times {
                    if isGradient {
                        engine.linearInputGradient(x, weight: weight, adding: nil, into: y)
                    } else {
                        engine.linear(x, weight: weight, bias: nil, adding: nil, into: y)
                    }
                }
            }
        }
    }

    private var group: String {
        format == .float32 ? "Linear layers" : "Linear layers, \(format.rawValue)"
    }

    static func formula(_ format: WeightMatrix.Format = .float32) -> String {
        format == .float32
            ? "2·T·in·out FLOP; 4·(T·in + in·out + T·out) bytes"
            : "2·T·in·out FLOP; 2·in·out + 4·(T·in + T·out) bytes"
    }

    static func product(
        _ rows: Int, _ input: Int, _ output: Int, _ format: WeightMatrix.Format = .float32
    ) -> Work {
        let (rows, input, output) = (Double(rows), Double(input), Double(output))
        let (flops, isPaired) = (2 * rows * input * output, format == .bfloat16)
        return Work(
            flops: isPaired ? 0 : flops, bfloat16Flops: isPaired ? flops : 0,
            bytes: (isPaired ? 2 : 4) * input * output + 4 * (rows * input + rows * output))
    }
}
