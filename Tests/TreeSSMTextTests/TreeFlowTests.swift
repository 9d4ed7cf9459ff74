import Tensors
import TestSupport
import Testing
import TreeSSMText
import TreeTopology

@Suite("Tree flow")
struct TreeFlowTests {
    let engine = makeEngine(threads: 1)

    /// The layout and the trees of sequences whose tokens' first factors are given and whose `B` is the same for all.
    private func trees(
        _ settings: TreeSettings, lengths: [Int], prompts: [Int], _ vectors: [[Float]]
    ) -> (layout: BatchLayout, trees: [RootedTree?]) {
        let (tokens, inner) = (vectors.count, vectors[0].count)
        let layout = TreeFlow(settings).layout(lengths: lengths, promptLengths: prompts)
        let found = engine.spanningTrees(
            SelectiveScan.Inputs(
                u: Tensor(vectors.flatMap { $0 }, shape: [tokens, inner]),
                step: Tensor(shape: [tokens, inner], repeating: 1),
                A: Tensor(shape: [1, inner], repeating: -1),
                B: Tensor(shape: [tokens, 1], repeating: 1),
                C: Tensor(shape: [tokens, 1], repeating: 1), D: Tensor(shape: [inner]),
                layout: layout))
        let none = [RootedTree?](repeating: nil, count: lengths.count)
        return (layout, found.isEmpty ? none : found.map { $0?.tree })
    }

    @Test("tokens hang on their likes")
    func likesAreJoined() throws {
        // Tokens 0 and 2 point one way, 1, 3 and 4 nearly another; 3 and 4 are exactly alike.
        let vectors: [[Float]] = [[1, 0], [0, 1], [1, 0.1], [0.1, 1], [0.1, 1], [1, 1]]
        let (layout, trees) = trees(TreeSettings(), lengths: [6], prompts: [5], vectors)
        let tree = try #require(trees[0])
        // Joined: 3-4 (alike), 0-2, 1-3 (or 1-4, a tie that the list breaks), and the two groups by
        // the most alike pair of them, 2 with 3 or 4.
        #expect(tree.parent == [2, 4, 4, 4, -1])
        #expect(layout.sequences[0].chainGain == 1 && layout.sequences[0].treeGain == 0.3)
    }

    @Test("each sequence of a batch has the tree that it has alone")
    func batch() {
        var generator = SeededGenerator(seed: 2)
        let vectors = (0..<40).map { _ in
            (0..<6).map { _ in Float.random(in: -1...1, using: &generator) }
        }
        let (lengths, prompts) = ([15, 2, 23], [12, 2, 99])
        let (layout, found) = trees(
            TreeSettings(), lengths: lengths, prompts: prompts, vectors)
        #expect(layout.rows == [0..<15, 15..<17, 17..<40])
        #expect(found.map { $0?.parent.count } == [12, nil, 23])
        for (index, rows) in layout.rows.enumerated() {
            let alone = trees(
                TreeSettings(), lengths: [rows.count], prompts: [prompts[index]],
                Array(vectors[rows])
            ).trees
            #expect(alone[0] == found[index])
        }
    }

    @Test("a prompt of two tokens or less has the chain for its tree", arguments: [0, 1, 2])
    func shortPrompts(promptLength: Int) throws {
        let vectors = [[Float]](repeating: [1, 2], count: 5)
        var settings = TreeSettings()
        #expect(
            trees(settings, lengths: [5], prompts: [promptLength], vectors).trees == [nil])
        // Where an edge has the child's decay the chain is a tree of its own.
        settings.transition = .child
        let tree = trees(settings, lengths: [5], prompts: [promptLength], vectors).trees[0]
        #expect(tree?.parent == [1, 2, 3, 4, -1])
        #expect(tree?.transition == [0, 1, 2, 3, 4])
    }

    @Test("with the child's decay the tree goes on to the end, as it does in the definition")
    func childRule() throws {
        var generator = SeededGenerator(seed: 2)
        let vectors = (0..<9).map { _ in
            (0..<6).map { _ in Float.random(in: -1...1, using: &generator) }
        }
        let prompt = try #require(
            trees(TreeSettings(), lengths: [9], prompts: [6], vectors).trees[0])
        let whole = try #require(
            trees(
                TreeSettings(transition: .child), lengths: [9], prompts: [6], vectors
            ).trees[0])
        #expect(whole.parent.prefix(5) == prompt.parent.prefix(5))
        #expect(whole.parent.suffix(4) == [6, 7, 8, -1])
        #expect(!TreeFlow(TreeSettings(transition: .child)).hasSingleState)
    }

    @Test("operands that are not numbers still give a tree")
    func nanOperands() {
        let vectors = [[Float]](repeating: [.nan, 1], count: 6)
        let found = trees(TreeSettings(), lengths: [6], prompts: [6], vectors).trees
        #expect(found[0]?.parent.count == 6)
    }

    @Test("settings from outside are checked")
    func validation() throws {
        try TreeSettings().validate()
        for (settings, setting, found, expected) in [
            (TreeSettings(neighbors: 0), "tree_neighbors", "0", "at least 1"),
            (TreeSettings(scale: .nan), "tree_scale", "nan", "a finite number"),
            (TreeSettings(chainGain: .infinity), "chain_gain", "inf", "a finite number"),
        ] {
            let error = TreeSettingsError.value(
                setting: setting, found: found, expected: expected)
            #expect(throws: error) { try settings.validate() }
            #expect("\(error)" == "setting '\(setting)' is \(found), expected \(expected)")
        }
    }
}
