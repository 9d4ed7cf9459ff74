import Python
import Testing

@testable import Evaluation

@Suite("Trees of requests")
struct RequestTreeTests {
    /// How texts may be shared.
    struct Sharing: CustomTestStringConvertible {
        let isPrompt, canContinue: Bool
        var testDescription: String { "prompts \(isPrompt), continued \(canContinue)" }
        static let all = [(false, true), (true, true), (false, false), (true, false)].map {
            Sharing(isPrompt: $0, canContinue: $1)
        }
    }

    /// Few different tokens, so that much is shared; some texts are equal, some within others.
    private var texts: [RequestText] {
        var random = PythonRandom(seed: 3)
        func tokens(_ count: Int) -> [Int32] {
            (0..<count).map { _ in Int32(random.next(below: 3)) }
        }
        let base = tokens(20)
        return (0..<150).map { _ in
            RequestText(
                ScoringRequest(
                    context: base.prefix(1 + random.next(below: 20))
                        + tokens(random.next(below: 4)),
                    continuation: tokens(1 + random.next(below: 5))), maximumLength: 16)
        }
    }

    private func tokens(_ text: RequestText) -> [Int32] { text.tokens(0..<text.count) }

    @Test("every text can be read along the nodes it ends in", arguments: Sharing.all)
    func nodesHoldTheTexts(sharing: Sharing) {
        let texts = texts
        let tree = RequestTree(
            texts, isPrompt: sharing.isPrompt, canContinue: sharing.canContinue)
        var read = [[Int32]](repeating: [], count: texts.count)
        var predicted = [[Int32?]](
            repeating: [], count: texts.count)
        for (index, text) in texts.enumerated() {
            predicted[index] = Array(repeating: nil, count: text.targets.count)
        }
        for (index, node) in tree.nodes.enumerated() {
            #expect(!node.places.isEmpty)
            #expect(
                node.parent.map { tree.nodes[$0].places.upperBound } ?? 0 == node.places.lowerBound)
            for text in tree.order[node.texts] {
                // Parents come first, so that pieces come in order.
                #expect(read[text].count == node.places.lowerBound, "\(index)")
                read[text] += tree.tokens(of: node)
            }
            for prediction in tree.predictions(from: node) {
                for use in prediction.uses {
                    #expect(predicted[use.text][use.number] == nil)
                    predicted[use.text][use.number] = prediction.token
                    #expect(
                        node.places.lowerBound + prediction.place
                            == texts[use.text].firstPlace + use.number)
                }
            }
        }
        for (index, text) in texts.enumerated() {
            #expect(read[index] == tokens(text))
            #expect(predicted[index] == Array(text.targets))
        }
    }

    @Test("prompts are nodes of their own, and only equal ones are one", arguments: Sharing.all)
    func promptsAreWhole(sharing: Sharing) {
        let texts = texts
        let tree = RequestTree(
            texts, isPrompt: sharing.isPrompt, canContinue: sharing.canContinue)
        let roots = tree.nodes.filter { $0.parent == nil }
        #expect(tree.nodes.allSatisfy { $0.parent == nil || $0.promptLength == 0 })
        for root in roots {
            for text in tree.order[root.texts] {
                #expect(root.promptLength == (sharing.isPrompt ? texts[text].promptLength : 0))
                if !sharing.canContinue { #expect(root.places.count == texts[text].count) }
            }
        }
        let different = Set(
            texts.map { text in
                [sharing.isPrompt ? Int32(text.promptLength) : 0]
                    + text.tokens(0..<(sharing.canContinue ? text.promptLength : text.count))
            })
        if sharing.isPrompt || !sharing.canContinue { #expect(roots.count == different.count) }
    }

    @Test("nodes are in the order of their first texts, each followed by what goes on from it")
    func nodesAreInOrder() {
        let tree = RequestTree(texts, isPrompt: false, canContinue: true)
        var open: [Int] = []
        for (index, node) in tree.nodes.enumerated() {
            while let last = open.last, last != node.parent { open.removeLast() }
            #expect(open.last == node.parent)
            open.append(index)
            let children = tree.nodes.indices.filter { tree.nodes[$0].parent == index }
            #expect(children.last == node.lastChild)
            let first = children.map { tree.order[tree.nodes[$0].texts].min() ?? 0 }
            #expect(first == first.sorted())
        }
    }
}
