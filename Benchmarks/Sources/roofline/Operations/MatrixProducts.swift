import Kernels

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
            return [
                forward(layer.name, layer.input, layer.output, rows: rows, times: tokens / rows),
                inputGradient(
                    layer.name, layer.input, layer.output, rows: rows, times: tokens / rows),
            ]
        }
    }

    private func forward(
        _ name: String, _ input: Int, _ output: Int, rows: Int, times: Int
    ) -> Operation {
        Operation(
            name: "\(name) \(input)→\(output)", group: group,
            work: Double(times) * Self.product(rows, input, output, format),
            formula: Self.formula(format)
        ) { [engine, format] in
            let x = Workspace().random([rows, input], 1)
            let weight = WeightMatrix(rounding: .random([output, input], 2), to: format)
            let y = Tensor(shape: [rows, output])
            return {
                for _ in 0..<times {
                    engine.linear(x, weight: weight, bias: nil, adding: nil, into: y)
                }
            }
        }
    }

    private func inputGradient(
        _ name: String, _ input: Int, _ output: Int, rows: Int, times: Int
    ) -> Operation {
        Operation(
            name: "\(name) \(input)→\(output), gradient", group: group,
            work: Double(times) * Self.product(rows, input, output, format),
            formula: Self.formula(format)
        ) { [engine, format] in
            let gradY = Workspace().random([rows, output], 1)
            let weight = WeightMatrix(rounding: .random([output, input], 2), to: format)
            let gradX = Tensor(shape: [rows, input])
            return {
                for _ in 0..<times {
                    engine.linearInputGradient(gradY, weight: weight, adding: nil, into: gradX)
                }
            }
        }
    }

    private var group: String {
        format == .float32 ? "Linear layers" : "Linear layers, \(format.rawValue)"
    }

    static func formula(_ format: WeightMatrix.Format = .float32) -> String {
        "2·T·in·out FLOP; \(format == .float32 ? "4·(T·in + in·out" : "2·in·out + 4·(T·in") + T·out) bytes"
    }

    static func product(
        _ rows: Int, _ input: Int, _ output: Int, _ format: WeightMatrix.Format = .float32
    ) -> Work {
        let (rows, input, output) = (Double(rows), Double(input), Double(output))
        let flops = 2 * rows * input * output
        return format == .float32
            ? Work(flops: flops, bytes: 4 * (rows * input + input * output + rows * output))
            : Work(
                bfloat16Flops: flops,
                bytes: 2 * input * output + 4 * (rows * input + rows * output))
    }
}
