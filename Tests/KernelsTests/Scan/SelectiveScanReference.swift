import Glibc
import Tensors

/// The selective scan by its definition, in `Double`.
///
/// The tree is not scanned: every token adds itself to each of its ancestors, times the product of
/// the decays along the path.
struct SelectiveScanReference {
    let u, delta, A, B, C, D: [Double]
    let z: [Double]?
    let inner, state: Int
    let sequences: [SelectiveScan.Sequence]

    init(_ x: SelectiveScan.Inputs) {
        func double(_ x: Tensor) -> [Double] { x.values.map(Double.init) }
        (u, delta, A) = (double(x.u), double(x.step).map { log1p(exp($0)) }, double(x.A))
        z = x.z.map(double)
        (B, C, D) = (double(x.B), double(x.C), double(x.D))
        (state, inner) = (x.A.rows, x.A.columns)
        sequences = x.sequences
    }

    func decay(_ t: Int, _ d: Int, _ n: Int) -> Double {
        exp(delta[t * inner + d] * A[n * inner + d])
    }

    func input(_ t: Int, _ d: Int, _ n: Int) -> Double {
        delta[t * inner + d] * u[t * inner + d] * B[t * state + n]
    }

    /// The result, `[tokens, inner]`, and the last state of each sequence, `[state, inner]`.
    func forward() -> (result: [Double], finalStates: [[Double]]) {
        var y = u.indices.map { D[$0 % inner] * u[$0] }
        var finalStates: [[Double]] = []
        for sequence in sequences {
            let initial = sequence.initialState?.values.map(Double.init)
            var final = [Double](repeating: 0, count: inner * state)
            for d in 0..<inner {
                for n in 0..<state {
                    let (states, last) = self.states(
                        of: sequence, d, n, initial?[n * inner + d] ?? 0)
                    for (t, h) in zip(sequence.rows, states) {
                        y[t * inner + d] += C[t * state + n] * h
                    }
                    final[n * inner + d] = last
                }
            }
            finalStates.append(final)
        }
        guard let z else { return (y, finalStates) }
        return (zip(y, z).map { $0 * $1 / (1 + exp(-$1)) }, finalStates)
    }

    /// The joined state of one channel at every token of a sequence, and what goes on after the last.
    private func states(
        of sequence: SelectiveScan.Sequence, _ d: Int, _ n: Int, _ initial: Double
    ) -> (states: [Double], last: Double) {
        let first = sequence.rows.lowerBound
        let (chainGain, treeGain) = (Double(sequence.chainGain), Double(sequence.treeGain))
        guard let tree = sequence.tree?.tree else {
            var h = initial
            let states = sequence.rows.map { t in
                h = decay(t, d, n) * h + (chainGain + treeGain) * input(t, d, n)
                return h
            }
            return (states, h)
        }
        let count = tree.parent.count
        var fromTree = [Double](repeating: 0, count: count)
        for token in 0..<count {
            var (vertex, product) = (token, 1.0)
            while true {
                fromTree[vertex] += product * input(first + token, d, n)
                guard tree.parent[vertex] >= 0 else { break }
                product *= decay(first + Int(tree.transition[vertex]), d, n)
                vertex = Int(tree.parent[vertex])
            }
        }
        // Scaled by its gain, so that a state from before can enter whatever the gain is.
        var (chain, joined) = (initial, initial)
        let states = sequence.rows.map { t in
            let position = t - first
            guard position < count else {
                joined = decay(t, d, n) * joined + (chainGain + treeGain) * input(t, d, n)
                return joined
            }
            chain = decay(t, d, n) * chain + chainGain * input(t, d, n)
            // What goes on is the state of the whole tree, wherever its root is.
            joined = chain + treeGain * fromTree[Int(tree.root)]
            return chain + treeGain * fromTree[position]
        }
        return (states, joined)
    }
}
