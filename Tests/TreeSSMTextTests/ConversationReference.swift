import Glibc
import Layers
import MambaLM
import TreeSSMText

/// A conversation whose turns are prompts of their own, by its definition, in `Double`.
///
/// No state is handed from turn to turn: at every token, the state is the sum of the chain over all tokens
/// before and, of each turn's prompt so far, of its tree. The weight of an answer's tokens in the chain is
/// that of chain and tree together.
struct ConversationReference {
    /// A prompt and its answer.
    struct Turn {
        var prompt: [Int32]
        var answer: [Int32]
    }

    private typealias Matrix = [[Double]]
    let model: MambaModel
    let settings: TreeSettings
    let turns: [Turn]

    /// All tokens.
    var tokens: [Int32] { turns.flatMap { $0.prompt + $0.answer } }

    /// Where the prompts are.
    private var prompts: [Range<Int>] {
        var start = 0
        return turns.map { turn in
            defer { start += turn.prompt.count + turn.answer.count }
            return start..<start + turn.prompt.count
        }
    }

    /// The log-probability of every token after the first.
    func logProbabilities() -> [Double] {
        let table = matrix(model.embeddings.weight)
        var x = tokens.map { table[Int($0)] }
        for block in model.blocks {
            let mixed = mixer(block.mixer, normalized(x, row(block.norm.weight)))
            x = zip(x, mixed).map { zip($0, $1).map { $0 + $1 } }
        }
        let logits = product(
            normalized(x, row(model.normF.weight)), matrix(model.lmHead.weight), nil)
        return zip(logits, tokens.dropFirst()).map { logits, target in
            let largest = logits.max() ?? 0
            let sum = logits.reduce(0) { $0 + exp($1 - largest) }
            return logits[Int(target)] - largest - log(sum)
        }
    }

    private func mixer(_ mixer: Mixer, _ x: Matrix) -> Matrix {
        let sizes = model.configuration
        let (inner, state, rank) = (sizes.inner, sizes.state, sizes.stepRank)
        let xz = product(x, matrix(mixer.inProj.weight), nil)
        let kernel = mixer.convolution.value.values.map(Double.init)
        let bias = mixer.convolutionBias.map { row($0) } ?? [Double](repeating: 0, count: inner)
        let width = sizes.convolutionWidth
        let u = x.indices.map { t in
            (0..<inner).map { d in
                var sum = bias[d]
                for k in 0..<width where t - (width - 1) + k >= 0 {
                    sum += kernel[d * width + k] * xz[t - (width - 1) + k][d]
                }
                return sum / (1 + exp(-sum))
            }
        }
        let projected = product(u, matrix(mixer.xProj.weight), nil)
        let steps = product(
            projected.map { Array($0[..<rank]) }, matrix(mixer.dtProj.weight),
            mixer.dtProj.bias.map { row($0) })
        let delta = steps.map { $0.map { log1p(exp($0)) } }
        let (ALog, D) = (matrix(mixer.ALog), row(mixer.D))
        func B(_ t: Int, _ n: Int) -> Double { projected[t][rank + n] }
        let parents = prompts.map { prompt in
            self.parents(
                in: prompt.map { t in
                    (0..<inner).flatMap { d in (0..<state).map { delta[t][d] * u[t][d] * B(t, $0) }
                    }
                })
        }
        var gated = u
        for d in 0..<inner {
            for t in u.indices { gated[t][d] = D[d] * u[t][d] }
            for n in 0..<state {
                let states = self.states(
                    decay: delta.map { exp($0[d] * -exp(ALog[d][n])) },
                    input: u.indices.map { delta[$0][d] * u[$0][d] * B($0, n) }, parents: parents)
                for t in u.indices { gated[t][d] += states[t] * projected[t][rank + state + n] }
            }
            for t in u.indices {
                let z = xz[t][inner + d]
                gated[t][d] *= z / (1 + exp(-z))
            }
        }
        return product(gated, matrix(mixer.outProj.weight), nil)
    }

    /// The state of one channel at every token.
    private func states(
        decay: [Double], input: [Double], parents: [[Int]]
    ) -> [Double] {
        let (chainGain, scale) = (Double(settings.chainGain), Double(settings.scale))
        let count = input.count
        /// What is left at `t` of something at `s`.
        func left(_ s: Int, _ t: Int) -> Double {
            s < t ? decay[(s + 1)...t].reduce(1, *) : 1
        }
        var states = (0..<count).map { t in
            (0...t).reduce(0.0) { sum, s in
                let isPrompt = prompts.contains { $0.contains(s) }
                return sum + (isPrompt ? chainGain : chainGain + scale) * left(s, t) * input[s]
            }
        }
        for (prompt, parents) in zip(prompts, parents) {
            let first = prompt.lowerBound
            var tree = [Double](repeating: 0, count: prompt.count)
            for vertex in parents.indices {
                var (above, part) = (vertex, input[first + vertex])
                while true {
                    tree[above] += part
                    guard parents[above] >= 0 else { break }
                    let edge = settings.transition == .parent ? parents[above] : above + 1
                    part *= decay[first + edge]
                    above = parents[above]
                }
            }
            for t in prompt { states[t] += scale * tree[t - first] }
            let root = prompt.upperBound - 1
            for t in prompt.upperBound..<count {
                states[t] += scale * left(root, t) * tree[root - first]
            }
        }
        return states
    }

    /// The parents in the minimum spanning tree over vectors, rooted at the last.
    private func parents(in vectors: Matrix) -> [Int] {
        let count = vectors.count
        var edges: [(a: Int, b: Int, weight: Float)] = []
        for a in stride(from: count - 1, to: 0, by: -1) {
            for b in stride(from: a - 1, through: max(0, a - settings.neighbors), by: -1) {
                func dot(_ x: Int, _ y: Int) -> Double {
                    zip(vectors[x], vectors[y]).reduce(0) { $0 + $1.0 * $1.1 }
                }
                let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
                edges.append((a, b, Float(exp(-cosine))))
            }
        }
        var group = Array(0..<count)
        var joined: [(Int, Int)] = []
        for edge in edges.sorted(by: { $0.weight < $1.weight })
        where group[edge.a] != group[edge.b] {
            let (from, to) = (group[edge.a], group[edge.b])
            for vertex in group.indices where group[vertex] == from { group[vertex] = to }
            joined.append((edge.a, edge.b))
        }
        var parents = [Int](repeating: -1, count: count)
        var reached = [count - 1]
        while let vertex = reached.popLast() {
            for (a, b) in joined {
                for (from, to) in [(a, b), (b, a)]
                where from == vertex && to != parents[vertex] {
                    parents[to] = vertex
                    reached.append(to)
                }
            }
        }
        return parents
    }

    private func normalized(_ x: Matrix, _ weight: [Double]) -> Matrix {
        x.map { row in
            let square = row.reduce(0) { $0 + $1 * $1 } / Double(row.count)
            let scale = 1 / (square + Double(model.configuration.epsilon)).squareRoot()
            return zip(row, weight).map { $0 * scale * $1 }
        }
    }

    private func product(_ x: Matrix, _ weight: Matrix, _ bias: [Double]?) -> Matrix {
        x.map { row in
            weight.indices.map { out in
                zip(row, weight[out]).reduce(bias?[out] ?? 0) { $0 + $1.0 * $1.1 }
            }
        }
    }

    private func row(_ parameter: Parameter) -> [Double] {
        parameter.value.values.map(Double.init)
    }

    private func matrix(_ parameter: Parameter) -> Matrix {
        let (values, columns) = (row(parameter), parameter.value.columns)
        return stride(from: 0, to: values.count, by: columns).map {
            Array(values[$0..<$0 + columns])
        }
    }
}
