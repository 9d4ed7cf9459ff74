/// The selective scan of Mamba with its gate, along a chain and, over a sequence's first tokens,
/// along a tree.
///
/// For every channel `d` and state `n`, with `delta[t] = log(1 + exp(step[t]))`,
/// `decay[t] = exp(delta[t] * A)` and `X[t] = delta[t] * u[t] * B[t]`, all states zero before a
/// sequence:
///
///     chain[t]  = decay[t] * chain[t - 1] + X[t]
///     tree[v]   = X[v] + sum over children c of v of decay[transition[c]] * tree[c]
///     state[t]  = chainGain * chain[t] + treeGain * tree[t]        on the tree's tokens
///     state[t]  = decay[t] * state[t - 1] + (chainGain + treeGain) * X[t]      on later ones
///     y[t]      = dot(C[t], state[t]) + D * u[t]
///     result[t] = y[t] * SiLU(z[t]), or y[t] without a gate
///
/// The tree covers the first tokens of a sequence; a sequence without one is a plain chain with the gain
/// `chainGain + treeGain`. From the tree's last token on, the joined state is `chainGain * chain[last] +
/// treeGain * tree[root]`: of trees over text the last token is the root. A sequence that goes on from the
/// state of earlier tokens has it in its chain, `chainGain * chain[-1]`, and not in its tree.
///
/// Softplus and gate belong to the scan because they cost little where it reads and writes its
/// operands, and a pass over memory each elsewhere; and because the backward pass, which computes
/// the states again, finds `y` on its way.
///
/// Source: Gu and Dao 2023, "Mamba", algorithm 2; Xiao et al. 2024, "MambaTree", algorithm 2. That
/// one state is enough after the tree follows from both branches sharing a recurrence there.
public enum SelectiveScan {
    /// The operands of a whole batch, sequences one after the other.
    public struct Inputs {
        /// The convolved input, `[tokens, inner]`.
        public var u: Tensor
        /// The step before softplus, `[tokens, inner]`.
        public var step: Tensor
        /// The gate before SiLU, `[tokens, inner]`; `nil` for none.
        public var z: Tensor?
        /// The state matrix, nowhere positive, `[state, inner]`: see ``Engine/stateMatrix(_:into:)``.
        public var A: Tensor
        /// The input projection, `[tokens, state]`.
        public var B: Tensor
        /// The output projection, `[tokens, state]`.
        public var C: Tensor
        /// The skip weight, `[inner]`.
        public var D: Tensor
        /// The sequences, which cover all tokens.
        public var layout: BatchLayout
        /// A tree a sequence, `nil` where it is the chain; none at all where every sequence is one.
        public var trees: [ScanTree?]
        /// The joined state before the first token of each sequence, `[state, inner]`, `nil` for zero; none at all
        /// where all are zero.
        public var initialStates: [Tensor?]
        /// Where the forward scan leaves the state after the last token of each sequence, `[state, inner]`, `nil`
        /// where it is not wanted; none at all where none is.
        public var finalStates: [Tensor?]

        /// Groups the operands of one scan.
        public init(
            u: Tensor, step: Tensor, z: Tensor? = nil, A: Tensor, B: Tensor, C: Tensor, D: Tensor,
            layout: BatchLayout, trees: [ScanTree?] = [], initialStates: [Tensor?] = [],
            finalStates: [Tensor?] = []
        ) {
            self.u = u
            self.step = step
            self.z = z
            self.A = A
            self.B = B
            self.C = C
            self.D = D
            self.layout = layout
            self.trees = trees
            self.initialStates = initialStates
            self.finalStates = finalStates
        }

        /// The tree of a sequence; `nil` if it is the chain.
        public func tree(of sequence: Int) -> ScanTree? { trees.isEmpty ? nil : trees[sequence] }

        /// The state before a sequence; `nil` for zero.
        public func initialState(of sequence: Int) -> Tensor? {
            initialStates.isEmpty ? nil : initialStates[sequence]
        }

        /// Where the state after a sequence goes; `nil` for nowhere.
        public func finalState(of sequence: Int) -> Tensor? {
            finalStates.isEmpty ? nil : finalStates[sequence]
        }
    }

    /// Where the gradients go.
    ///
    /// Those of the activations are overwritten, those of the parameters added to. Each of `u`,
    /// `step`, `z` and `gated` may be the memory of one of the operands `u`, `step`, `z` and of the
    /// gradient by the result, if no two are the same.
    public struct Gradients {
        /// `[tokens, inner]`.
        public var u: Tensor
        /// `[tokens, inner]`.
        public var step: Tensor
        /// `[tokens, inner]`; `nil` without a gate.
        public var z: Tensor?
        /// Where the result is written again, `[tokens, inner]`; `nil` without a gate or if it is
        /// not needed.
        public var gated: Tensor?
        /// `[tokens, state]`.
        public var B: Tensor
        /// `[tokens, state]`.
        public var C: Tensor
        /// `[state, inner]`; `nil` if `A` is frozen.
        public var A: Tensor?
        /// `[inner]`; `nil` if `D` is frozen.
        public var D: Tensor?

        /// Groups the gradients of one scan.
        public init(
            u: Tensor, step: Tensor, z: Tensor? = nil, gated: Tensor? = nil, B: Tensor, C: Tensor,
            A: Tensor? = nil, D: Tensor? = nil
        ) {
            self.u = u
            self.step = step
            self.z = z
            self.gated = gated
            self.B = B
            self.C = C
            self.A = A
            self.D = D
        }
    }
}
