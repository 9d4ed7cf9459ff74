import Storage
import TestSupport
import Testing

@testable import Reports

@Suite("The page of trees")
struct TreePageTests {
    private let trees = RunPageTests.trees

    @Test("a tree in numbers")
    func figures() {
        let chain = TreeFigures(trees.readings[1].layers[0])
        #expect(chain.jumps == 0 && chain.fromLater == 0 && chain.depth == 1)
        let tree = TreeFigures(trees.readings[1].layers[1])
        // Edges 0-2, 1-0 and 2-3: one joins no neighbours, one leads back.
        #expect(tree.jumps == 1.0 / 3 && tree.fromLater == 1.0 / 3 && tree.depth == 1)
        #expect(tree.leaves == 0.25)
        #expect(trees.readings[1].layers[1].gathered == [1, 0, 2, 3])
        #expect(trees.readings[1].layers[1].depths == [2, 3, 1, 0])
        let ends = trees.readings[1].layers.map(\.ends)
        #expect(TreeFigures.agreement(ends[0], ends[1]) == 2.0 / 3)
    }

    @Test("trees come back from their file, and what is none is refused")
    func file() throws {
        let folder = TemporaryFolder()
        let path = folder.file("trees.json")
        try trees.write(to: path)
        #expect(try PromptTrees(file: path) == trees)
        let text = JSONWriter().string(trees.json)
        for (found, wrong) in [
            ("[2, 0, 3, -1]", "[2, 0, 1, -1]"), ("[2, 0, 3, -1]", "[2, 0, 9, -1]"),
            ("[2, 0, 3, -1]", "[2, 0, 3, 0]"), ("[2, 0, 3, -1]", "[2, 0, -1]"),
            ("[2, 0, 3, -1]", "[-1, 0, 3, -1]"),
        ] {
            let bad = folder.write(text.replacing(found, with: wrong), to: "bad.json")
            #expect(throws: ReportError.self) { try PromptTrees(file: bad) }
        }
    }

    @Test("the page is well formed, and its drawing holds every edge")
    func page() throws {
        let page = TreePage(
            trees: trees, layer: 1, facts: [("model", "<m>")], command: ["mtl-eval"])
        try HTMLCheck.check(page.html)
        let svg = try #require(page.svg)
        try HTMLCheck.check(svg)
        #expect(svg.contains("&lt;b&gt;"))
        // One path each for a kind of edge: the stretches of all of them are the edges.
        let layout = TokenLayout(trees, width: 1080)
        let arcs = TreeDrawing(layout: layout).arcs(trees.readings[1].layers[1]).source
        #expect(arcs.components(of: "M") == 3)
        #expect(page.html.contains("1 of 3 edges joins no neighbours, 1 leads back"))
    }

    @Test("lines break between tokens, and an edge over the break leaves and comes back")
    func layout() {
        let narrow = TokenLayout(trees, width: 30)
        #expect(narrow.lineCount == 4)
        #expect(narrow.arc(0, 2).components(of: "M") == 3)
        #expect(TokenLayout(trees, width: 1000).lineCount == 1)
    }

    @Test("a survey gives means over prompts with their errors")
    func survey() throws {
        var survey = TreeSurvey(names: ["a", "b"], layers: 2)
        survey.add(trees)
        survey.add(trees)
        survey.add(
            PromptTrees(
                tokens: [.init(id: 1, text: "x")],
                readings: trees.readings.map {
                    .init(
                        name: $0.name,
                        layers: $0.layers.map { _ in .init(parents: [-1], cosines: [1]) })
                }))
        #expect(survey.prompts == 2 && survey.short == 1)
        let json = survey.json
        #expect(
            json["readings"]?.arrayValue?[1]["layers"]?.arrayValue?[1]["depth"]?["stderr"] == 0.0)
        #expect(json["edges_in_both"]?.arrayValue?[0]["mean"] == 1.0)
        let page = TreePage(trees: nil, survey: survey).html
        try HTMLCheck.check(page)
        #expect(page.contains("Over 2 prompts") && page.contains("33.3 ± 0.0 %"))
    }

    @Test("2,000 tokens and 24 layers are a page of less than 1.5 MB")
    func large() {
        var generator = SeededGenerator(seed: 1)
        let layer = { () -> PromptTrees.Layer in
            var parents = (1...2000).map {
                min($0 + Int.random(in: 0...2, using: &generator), 1999)
            }
            parents[1999] = -1
            return .init(
                parents: parents,
                cosines: parents.map { _ in Float.random(in: 0...1, using: &generator) })
        }
        let trees = PromptTrees(
            tokens: (0..<2000).map { .init(id: $0, text: " token\($0 % 100)") },
            readings: [.init(name: "m", layers: (0..<24).map { _ in layer() })])
        let size = TreePage(trees: trees).html.utf8.count
        #expect(size < 1_500_000, "\(size)")
    }
}
