import CommandSupport
import Tensors
import TestSupport
import Testing

@testable import ChatTerminal

@Suite("Drawing of a tree")
struct TreeDrawingTests {
    private func lines(_ labels: [String], _ parents: [Int], width: Int = 60) -> [String] {
        TreeDrawing(labels: labels, parents: parents, width: width).lines
    }

    @Test("a chain is one line")
    func chain() {
        #expect(lines(["a", " b", " c"], [1, 2, -1]) == ["─ a· b· c"])
        #expect(lines(["a"], [-1]) == ["─ a"])
        #expect(lines([], []) == [])
    }

    @Test("branches are indented beside the line that they join")
    func branches() {
        #expect(
            lines(["a", "b", "c", "d", "e", "f"], [2, 3, 3, 5, 5, -1]) == [
                "│ a → c", "├── b →", "│ d →", "├── e", "└ f",
            ])
    }

    @Test("a long chain is wrapped between tokens")
    func wrap() {
        let count = 40
        let labels = (0..<count).map { " w\($0)" }
        let lines = lines(labels, (1..<count).map { $0 } + [-1], width: 20)
        #expect(lines.count > 5)
        for line in lines { #expect(DisplayWidth.of(line) <= 20) }
        #expect(lines.last?.hasPrefix("└ ") == true)
    }

    @Test("any tree shows every token, within the width and few branches deep", arguments: 1...20)
    func randomTrees(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let count = 500
        // Edges as a prompt's tree has them: to a later token that is near.
        let parents = (0..<count).map { token in
            let parent = token + Int.random(in: 1...3, using: &generator)
            return token == count - 1 ? -1 : min(parent, count - 1)
        }
        let drawing = TreeDrawing(
            labels: (0..<count).map { "<\($0)>" }, parents: parents, width: 80)
        let text = drawing.lines.joined(separator: "\n")
        for token in 0..<count { #expect(text.contains("<\(token)>")) }
        for line in drawing.lines { #expect(DisplayWidth.of(line) <= 80) }
        let deepest = drawing.lines.map { $0.prefix { "│├└─┴ ".contains($0) }.count }.max() ?? 0
        #expect(deepest <= 2 * 9 + 4)
    }

    @Test("depth and leaves are counted")
    func counts() {
        let drawing = TreeDrawing(
            labels: ["a", "b", "c", "d"], parents: [3, 2, 3, -1], width: 60)
        #expect(drawing.depth == 2)
        #expect(drawing.leafCount == 2)
    }
}
