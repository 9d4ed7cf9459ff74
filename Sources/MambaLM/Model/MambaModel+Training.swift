import Layers
import Tensors

extension MambaModel {
    /// Adds the gradients of a batch's loss to every trainable parameter.
    ///
    ///     loss = sum over scored tokens of -weight · log p(target | tokens before)
    ///
    /// Only the blocks' inputs are kept, `[layers, tokens, model]`, and as many of their input
    /// projections as ``keptBytes`` allows: the rest of each block is computed again before its
    /// gradients, and a gradient takes the memory of the input that it belongs to. Logits exist for a few
    /// hundred scored rows at a time. The backward pass ends at the lowest block that has something to
    /// train.
    ///
    /// - Parameters:
    ///   - batch: The sequences.
    ///   - scored: What to predict where, and its weight; each row at most once.
    ///   - dropoutSeed: Decides what adapters drop; give each call of a run its own.
    /// - Returns: The loss, of which the gradients do not wait.
    public func accumulateGradients(
        of batch: TokenBatch, _ scored: [ScoredToken], dropoutSeed: UInt64? = nil
    ) -> Deferred<Double> {
        let pass = pass(dropoutSeed: dropoutSeed)
        let rows = RowIndices(scored.map { Int32($0.row) })
        let shape = [batch.tokens.count, configuration.model]
        let inputs = blocks.map { workspace.tensor("training.input.\($0.layer)", shape) }
        let hidden = workspace.tensor("training.hidden", [rows.count, configuration.model])
        embeddings.forward(batch.indices, into: inputs[0], in: pass)
        let projections = keptProjections(tokens: batch.tokens.count, in: pass)
        let flows = blocks.map { block in
            let isLast = block.layer == blocks.count - 1
            return block.forward(
                inputs[block.layer], of: batch, flow: flow, rows: isLast ? rows : nil,
                into: isLast ? hidden : inputs[block.layer + 1],
                keeping: projections[block.layer], in: pass
            ).flow
        }

        let loss = headGradients(hidden, scored, in: pass)

        let lowest = embeddings.isTrainable ? 0 : blocks.firstIndex { $0.isTrainable }
        guard let lowest else { return loss }
        for block in blocks[lowest...].reversed() {
            let isLast = block.layer == blocks.count - 1
            block.backward(
                inputs[block.layer], of: batch, flow: flows[block.layer],
                projection: projections[block.layer], rows: isLast ? rows : nil,
                gradOutput: isLast ? hidden : inputs[block.layer + 1],
                needsInputGradient: block.layer > lowest || embeddings.isTrainable, in: pass)
        }
        if embeddings.isTrainable {
            embeddings.backward(inputs[0], tokens: batch.indices, in: pass)
        }
        return loss
    }

    /// Memory for the input projections of as many of the last blocks as fit; that of the very last is
    /// still where every block has its own, since no other runs before its gradients.
    private func keptProjections(tokens: Int, in pass: Pass) -> [Tensor?] {
        let width = 2 * configuration.inner
        let last = blocks.count - 1
        let count = min(keptBytes / (tokens * width * MemoryLayout<Float>.stride), last)
        let memory = workspace.tensor("training.projections", [count * tokens, width])
        return blocks.map { block in
            let place = block.layer - (last - count)
            if block.layer == last {
                return block.mixer.sharedProjection(tokens: tokens, in: pass)
            }
            return place < 0 ? nil : memory.rows(place * tokens..<(place + 1) * tokens)
        }
    }

    /// The loss of the scored rows, the last block's output; overwrites them with its gradient by them.
    private func headGradients(
        _ hidden: Tensor, _ scored: [ScoredToken], in pass: Pass
    ) -> Deferred<Double> {
        let parts = mapChunks(of: scored.count) { rows in
            let chunk = scored[rows]
            let weights = chunk.map(\.weight)
            let (normed, logits) = logits(of: hidden.rows(rows), in: pass)
            let scores = engine.crossEntropy(
                logits,
                CrossEntropy.Inputs(targets: chunk.map(\.target), gradientWeights: weights))
            let gradNormed = workspace.tensor("head.gradNormed", normed.shape)
            lmHead.backward(logits, x: normed, into: gradNormed, in: pass)
            normF.backward(
                gradNormed, x: hidden.rows(rows), into: hidden.rows(rows), in: pass)
            return scores
        }
        return Deferred {
            zip(scored, parts.lazy.flatMap(\.value.logProbabilities)).reduce(0) {
                $0 - Double($1.0.weight) * $1.1
            }
        }
    }
}
