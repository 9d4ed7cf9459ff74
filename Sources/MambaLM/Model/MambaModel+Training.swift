import Kernels

extension MambaModel {
    /// Adds the gradients of a batch's loss to every trainable parameter.
    ///
    ///     loss = sum over scored tokens of -weight · log p(target | tokens before)
    ///
    /// Only the blocks' inputs are kept, `[layers, tokens, model]`, and as many of their input
    /// projections as ``keptBytes`` allows: the rest of each block is computed again before its
    /// gradients. Logits exist for a few hundred scored rows at a time. The backward pass
    /// ends at the lowest block that has something to train.
    ///
    /// - Parameters:
    ///   - batch: The sequences.
    ///   - scored: What to predict where, and its weight; each row at most once.
    ///   - dropoutSeed: Decides what adapters drop; give each call of a run its own.
    /// - Returns: The loss.
    public func accumulateGradients(
        of batch: TokenBatch, _ scored: [ScoredToken], dropoutSeed: UInt64? = nil
    ) -> Double {
        let pass = pass(dropoutSeed: dropoutSeed)
        let shape = [batch.tokens.count, configuration.model]
        let inputs = (0...blocks.count).map { workspace.tensor("training.input.\($0)", shape) }
        embeddings.forward(batch.tokens, into: inputs[0], in: pass)
        let projections = keptProjections(tokens: batch.tokens.count)
        let flows = blocks.map { block in
            block.forward(
                inputs[block.layer], of: batch, flow: flow, into: inputs[block.layer + 1],
                keeping: projections[block.layer], in: pass
            ).flow
        }

        let gradient = workspace.tensor("training.gradient", shape)
        gradient.fill(0)
        let loss = headGradients(
            hidden: inputs[blocks.count], scored, into: gradient, in: pass)

        let lowest = embeddings.isTrainable ? 0 : blocks.firstIndex { $0.isTrainable }
        guard let lowest else { return loss }
        for block in blocks[lowest...].reversed() {
            block.backward(
                inputs[block.layer], of: batch, flow: flows[block.layer],
                projection: projections[block.layer], gradient: gradient,
                needsInputGradient: block.layer > lowest || embeddings.isTrainable, in: pass)
        }
        if embeddings.isTrainable {
            embeddings.backward(gradient, tokens: batch.tokens, in: pass)
        }
        return loss
    }

    /// Memory for the input projections of as many of the last blocks as fit.
    private func keptProjections(tokens: Int) -> [Tensor?] {
        let width = 2 * configuration.inner
        let count = min(keptBytes / (tokens * width * MemoryLayout<Float>.stride), blocks.count)
        let memory = workspace.tensor("training.projections", [count * tokens, width])
        let first = blocks.count - count
        return blocks.indices.map { layer in
            layer < first
                ? nil : memory.rows((layer - first) * tokens..<(layer - first + 1) * tokens)
        }
    }

    /// The loss of the scored rows; adds its gradient by the last block's output to `gradient`.
    private func headGradients(
        hidden: Tensor, _ scored: [ScoredToken], into gradient: Tensor, in pass: Pass
    ) -> Double {
        var loss = 0.0
        forEachChunk(of: scored) { chunk in
            let rows = chunk.map(\.row)
            let weights = chunk.map(\.weight)
            let (gathered, normed, logits) = logits(of: rows, hidden: hidden, in: pass)
            let result = engine.crossEntropy(
                logits,
                CrossEntropy.Inputs(targets: chunk.map(\.target), gradientWeights: weights))
            for (weight, value) in zip(weights, result.logProbabilities) {
                loss -= Double(weight) * value
            }
            let gradNormed = workspace.tensor("head.gradNormed", normed.shape)
            lmHead.backward(logits, x: normed, into: gradNormed, in: pass)
            let gradGathered = workspace.tensor("head.gradGathered", normed.shape)
            gradGathered.fill(0)
            engine.normalizeBackward(
                finalNorm(of: gathered), gradY: gradNormed,
                into: RMSNorm.Gradients(x: gradGathered, weight: normF.gradient))
            engine.scatterAddRows(gradGathered, to: rows.map(Int32.init), of: gradient)
        }
        return loss
    }
}
