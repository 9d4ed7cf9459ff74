import Tensors

/// The loss of scored tokens and its gradient by the logits, a chunk at a time as the model does.
struct Losses {
    let engine: any Engine
    let shape: ModelShape

    func operations(tokens: Int) -> [Operation] {
        let rows = min(tokens, shape.logitRows)
        let elements = Double(tokens) * Double(shape.vocabulary)
        return [
            Operation(
                name: "cross-entropy, gradient in place", group: "Loss",
                work: Work(
                    flops: 2 * elements * (Instructions.exponential + 3), bytes: 8 * elements),
                formula: "14·T·vocabulary vector instructions; 8·T·vocabulary bytes"
            ) { [engine, shape] in
                let logits = Tensor.random([rows, shape.vocabulary], 1)
                let inputs = CrossEntropy.Inputs(
                    targets: [Int32](repeating: 7, count: rows),
                    gradientWeights: [Float](repeating: 1, count: rows))
                return {
                    for _ in 0..<tokens / rows { _ = engine.crossEntropy(logits, inputs) }
                }
            }
        ]
    }
}
