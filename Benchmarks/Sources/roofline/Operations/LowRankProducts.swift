import Tensors

/// The products of an adapter on in_proj: thin matrices, bound by memory.
struct LowRankProducts {
    let engine: any Engine
    let shape: ModelShape

    func operations(tokens: Int) -> [Operation] {
        let (input, rank, output) = (shape.model, shape.rank, 2 * shape.inner)
        func operation(
            _ name: String, _ rows: Int, _ columns: Int, _ depth: Int,
            _ prepare: @escaping () -> () -> Void
        ) -> Operation {
            Operation(
                name: name, group: "Adapter of in_proj",
                work: MatrixProducts.product(rows, depth, columns),
                formula: MatrixProducts.formula(), prepare: prepare)
        }
        return [
            operation("x·Aᵀ \(input)→\(rank)", tokens, rank, input) { [engine] in
                let x = Tensor.random([tokens, input], 1)
                let weight = Tensor.random([rank, input], 2)
                let hidden = Tensor(shape: [tokens, rank])
                return {
                    engine.linear(x, weight: weight, bias: nil, adding: nil, into: hidden)
                }
            },
            operation("h·Bᵀ \(rank)→\(output), added", tokens, output, rank) { [engine] in
                let hidden = Tensor.random([tokens, rank], 1)
                let weight = Tensor.random([output, rank], 2)
                let y = Tensor(shape: [tokens, output])
                return {
                    engine.linear(hidden, weight: weight, bias: nil, adding: y, into: y)
                }
            },
            operation("gradient by B", output, rank, tokens) { [engine] in
                let gradY = Tensor.random([tokens, output], 1)
                let hidden = Tensor.random([tokens, rank], 2)
                let gradient = Tensor(shape: [output, rank])
                return { engine.linearWeightGradient(gradY, x: hidden, into: gradient) }
            },
            operation("gradient by A", rank, input, tokens) { [engine] in
                let gradHidden = Tensor.random([tokens, rank], 1)
                let x = Tensor.random([tokens, input], 2)
                let gradient = Tensor(shape: [rank, input])
                return { engine.linearWeightGradient(gradHidden, x: x, into: gradient) }
            },
        ]
    }
}
