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
        let rows = scored.map { Int32($0.row) }
        let shape = [batch.tokens.count, configuration.model]
        let inputs = blocks.map { workspace.tensor("training.input.\($0.layer)", shape) }
        let hidden = workspace.tensor("training.hidden", [rows.count, configuration.model])
        embeddings.forward(batch.tokens, into: inputs[0], in: pass)
        let projections = keptProjections(tokens: batch.tokens.count)
        let flows = blocks.map { block in
            let isLast = block.layer == blocks.count - 1
            return block.forward(
                inputs[block.layer], of: batch, flow: flow, rows: isLast ? rows : nil,
                into: isLast ? hidden : inputs[block.layer + 1],
                keeping: projections[block.layer], in: pass
            ).flow
        }

        let gradHidden = workspace.tensor("training.gradHidden", hidden.shape)
        let loss = headGradients(hidden: hidden, scored, into: gradHidden, in: pass)

        let lowest = embeddings.isTrainable ? 0 : blocks.firstIndex { $0.isTrainable }
        guard let lowest else { return loss }
        let gradient = workspace.tensor("training.gradient", shape)
        for block in blocks[lowest...].reversed() {
            let isLast = block.layer == blocks.count - 1
            block.backward(
                inputs[block.layer], of: batch, flow: flows[block.layer],
                projection: projections[block.layer], rows: isLast ? rows : nil,
                gradOutput: isLast ? gradHidden : gradient, into: gradient,
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

    /// The loss of the scored rows; overwrites `gradient` with its gradient by the last block's output.
    private func headGradients(
        hidden: Tensor, _ scored: [ScoredToken], into gradient: Tensor, in pass: Pass
    ) -> Double {
        var loss = 0.0
        gradient.fill(0)
        forEachChunk(of: scored.count) { rows in
            let chunk = scored[rows]
            let weights = chunk.map(\.weight)
            let (normed, logits) = logits(of: hidden.rows(rows), in: pass)
            let result = engine.crossEntropy(
                logits,
                CrossEntropy.Inputs(targets: chunk.map(\.target), gradientWeights: weights))
            for (weight, value) in zip(weights, result.logProbabilities) {
                loss -= Double(weight) * value
            }
            let gradNormed = workspace.tensor("head.gradNormed", normed.shape)
            lmHead.backward(logits, x: normed, into: gradNormed, in: pass)
            engine.normalizeBackward(
                finalNorm(of: hidden.rows(rows)), gradY: gradNormed,
                into: RMSNorm.Gradients(x: gradient.rows(rows), weight: normF.gradient))
        }
        return loss
    }
}
