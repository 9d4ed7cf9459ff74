import Storage
import TestSupport
import Testing

@testable import Reports

@Suite("The report of a sweep")
struct SweepPageTests {
    private func member(
        _ name: String, heldOut: String = "v.jsonl", seeds: [Int], loss: Double = 1
    ) -> SweepPage.Member {
        SweepPage.Member(
            name: name, settings: [("topology", name)], heldOut: heldOut,
            runs: seeds.map { seed in
                .init(
                    seed: seed,
                    pages: [("run", "\(name)/seed-\(seed)/train/report.html")],
                    losses: [(0, 4), (10, loss + Double(seed) / 10)])
            })
    }

    private func page(_ members: [SweepPage.Member], _ rows: [SweepPage.Row]) -> SweepPage {
        SweepPage(
            title: "s", subtitle: "t", reference: "lora", members: members, rows: rows,
            legend: "What it means.", command: ["mtl-finetune", "sweep", "s.yaml"])
    }

    private func row(_ member: String, _ difference: SweepPage.Difference?) -> SweepPage.Row {
        SweepPage.Row(
            task: "scenes", metric: "acc", member: member, runs: 2, mean: 0.5,
            difference: difference)
    }

    @Test("members stand beside the reference, bars reach twice the larger error, runs are linked")
    func whole() throws {
        let html = page(
            [
                member("lora", seeds: [1, 2]), member("gain", seeds: [1, 2]),
                member("tree", seeds: [1, 2], loss: 2),
                member("text", heldOut: "20 of t.jsonl", seeds: [1]),
            ],
            [
                row("lora", nil),
                row("gain", .init(value: 0.25, itemError: 0.125, seedError: 0.0625)),
                row("tree", .init(value: -1e-9, itemError: nil, seedError: 0)),
            ]
        ).html
        try HTMLCheck.check(html)
        for text in [
            "Differences from lora", "lora has 0.5000",
            // From 0 to 0.5 on an axis from -0.2 to 0.6.
            "style=\"left:25.0%;width:62.5%\"", ">+0.2500<", ">0.0000<",
            "On v.jsonl", "On 20 of t.jsonl", "Thin lines are seeds, the thick one is their mean.",
            "Too alike to be seen apart: lora under gain.", "What it means.",
            "href=\"tree/seed-2/train/report.html\"", ">run 2<", "topology gain",
            "mtl-finetune sweep s.yaml",
        ] {
            #expect(html.contains(text), "\(text)")
        }
        #expect(!html.contains("-0.0000") && !html.contains("−0.0000"))
        // The numbers under the pointer are those of means alone: four lines of two points.
        #expect(html.components(separatedBy: "\"name\":\"step\"").count == 3)
        #expect(html.components(separatedBy: "\"color\":").count == 5)
    }

    @Test("a task in which nothing differs is told, not drawn")
    func same() throws {
        let html = page(
            [member("lora", seeds: [1]), member("gain", seeds: [1])],
            [row("lora", nil), row("gain", .init(value: 0, itemError: 0, seedError: nil))]
        ).html
        try HTMLCheck.check(html)
        #expect(html.contains("No member differs from lora in any item of scenes acc."))
        #expect(!html.contains("class=\"zero\""))
    }

    @Test("a sweep without a result has a page, and names and paths from outside are text")
    func sparse() throws {
        try HTMLCheck.check(page([member("lora", seeds: [])], []).html)
        for text in hostileTexts {
            var member = member("a", heldOut: text, seeds: [1])
            member.settings = [(text, text)]
            member.runs[0].pages = [(text, "a/" + text)]
            let html = page([member], [row(text, .init(value: 1, itemError: 1, seedError: nil))])
                .html
            try HTMLCheck.check(html)
            #expect(html.components(separatedBy: "<script").count == 3, "\(text)")
        }
    }
}
