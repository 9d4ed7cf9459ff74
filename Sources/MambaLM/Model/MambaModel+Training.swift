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
        let run = BlockRun(batch, flow: flow, rows: rows, keepsStates: false)
        let tokens = run.tokens.count
        let inputs = blocks.map { buffers.stream.inputs[$0.layer].matrix(rows: tokens) }
        let hidden = buffers.stream.hidden.matrix(rows: rows.count)
        let projections = keptProjections(tokens: tokens)
        let trees = runBlocks(
            run, stream: inputs, into: hidden, keeping: projections, in: pass
        ) { _ in }.trees

        let loss = headGradients(hidden, scored, in: pass)

        let lowest = embeddings.isTrainable ? 0 : blocks.firstIndex { $0.isTrainable }
        guard let lowest else { return loss }
        for block in blocks[lowest...].reversed() {
            let isLast = block.layer == blocks.count - 1
            block.backward(
                inputs[block.layer],
                of: blockSequences(run.parts[0], of: run, layer: block.layer),
                trees: trees[block.layer],
                projection: projections[block.layer], rows: isLast ? rows : nil,
                gradOutput: isLast ? hidden : inputs[block.layer + 1],
                needsInputGradient: block.layer > lowest || embeddings.isTrainable,
                using: buffers.mixer, in: pass)
        }
        if embeddings.isTrainable {
            embeddings.backward(inputs[0], tokens: run.tokens, in: pass)
        }
        return loss
    }

    /// Memory for the input projections of as many of the last blocks as fit; that of the very last is
    /// still where every block has its own, since no other runs before its gradients.
    private func keptProjections(tokens: Int) -> [Tensor?] {
        let (last, count) = (blocks.count - 1, keptCount(tokens: tokens))
        let memory = buffers.stream.projections.matrix(rows: count * tokens)
        return blocks.map { block in
            let place = block.layer - (last - count)
            if block.layer == last { return buffers.mixer.xz.matrix(rows: tokens) }
            return place < 0 ? nil : memory.rows(place * tokens..<(place + 1) * tokens)
        }
    }

    /// Of how many blocks but the last the input projections are kept.
    func keptCount(tokens: Int) -> Int {
        let bytes = tokens * 2 * configuration.inner * MemoryLayout<Float>.stride
        return min(keptBytes / max(bytes, 1), blocks.count - 1)
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
            let gradNormed = buffers.head.gradNormed.matrix(rows: normed.rows)
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
