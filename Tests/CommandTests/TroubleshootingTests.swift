import FoundationEssentials
import TestSupport
import Testing

/// Runs every command of `docs/troubleshooting.md`, each example in a folder of its own.
@Suite("The page of mistakes")
struct TroubleshootingTests {
    /// A command as the page shows it, and what it says that it prints.
    struct Shown {
        let command: String
        var lines: [Substring] = []
    }

    @Test("each command prints what the page shows")
    func page() throws {
        let workshop = try CommandWorkshop()
        try prepare(workshop)
        let examples = Self.examples(
            in: CommandRun.text(of: CommandWorkshop.demo + "/../../docs/troubleshooting.md"))
        #expect(examples.joined().count { !$0.lines.isEmpty } >= 60)
        for (place, example) in examples.enumerated() {
            for shown in example {
                let line = """
                    cd '\(workshop(""))'; PATH='\(CommandRun.folder)':$PATH
                    [ -d \(place) ] || cp -r start \(place); cd \(place); { \(shown.command); } 2>&1
                    """
                let printed = try CommandRun("/bin/sh", ["-c", line]).output
                    .split(separator: "\n").filter { !$0.isEmpty }
                #expect(
                    Self.fits(printed[...], shown.lines[...]),
                    "\(shown.command)\n\(printed.joined(separator: "\n"))")
            }
        }
    }

    /// Makes the files that every example begins with.
    private func prepare(_ workshop: CommandWorkshop) throws {
        let lines = """
            cd '\(workshop(""))'; PATH='\(CommandRun.folder)':$PATH; mkdir start
            mv model start; head -n 20 '\(CommandWorkshop.demo)/train.jsonl' \
            >start/records.jsonl; cd start
            mtl-finetune --model model --data records.jsonl --max-steps 2 --output-dir adapter
            """
        let run = try CommandRun("/bin/sh", ["-c", lines])
        try #require(run.status == 0, "\(run.errors)")
    }

    /// The commands of the page, those of one block together.
    static func examples(in page: String) -> [[Shown]] {
        var examples: [[Shown]] = []
        var isInside = false
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInside.toggle()
                if isInside { examples.append([]) }
            } else if isInside, line.hasPrefix("$ ") {
                examples[examples.count - 1].append(Shown(command: String(line.dropFirst(2))))
            } else if isInside, let last = examples[examples.count - 1].indices.last {
                examples[examples.count - 1][last].lines.append(line)
            }
        }
        return examples
    }

    /// Whether lines are those that are shown; a line `…` stands for any number of lines, and `…` in a
    /// line for any text.
    static func fits(_ printed: ArraySlice<Substring>, _ shown: ArraySlice<Substring>) -> Bool {
        guard let line = shown.first else { return printed.isEmpty }
        if line == "…" {
            return printed.indices.contains { fits(printed[$0...], shown.dropFirst()) }
                || shown.count == 1
        }
        guard let first = printed.first else { return false }
        let parts = line.split(separator: "…", omittingEmptySubsequences: false)
        let isSame =
            parts.count == 1
            ? first == line : first.hasPrefix(parts[0]) && first.hasSuffix(parts[parts.count - 1])
        return isSame && fits(printed.dropFirst(), shown.dropFirst())
    }
}
