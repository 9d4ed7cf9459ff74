import FoundationEssentials
import Testing

/// OpenBLAS's threads asked for memory for ever, so that a run that had written all never ended.
@Suite("Little memory")
struct LowMemoryTests {
    /// Trains two steps with at most so many KiB of address space.
    private func train(_ arguments: String = "", limit: Int) throws -> (CommandRun, isSaved: Bool) {
        let workshop = try CommandWorkshop()
        let run = try CommandRun(
            "/bin/sh",
            [
                "-c",
                "ulimit -v \(limit); exec timeout -s KILL 100 '\(CommandRun.folder)/mtl-finetune' "
                    + "--model '\(workshop.model)' --data '\(CommandWorkshop.demo)/train.jsonl' "
                    + "--output-dir '\(workshop("out"))' --threads 1 --max-steps 2 --batch-size 1 "
                    + "--quiet --no-cache \(arguments)",
            ])
        return (run, (try? workshop.bytes("out/adapter_model.safetensors")) != nil)
    }

    @Test("own kernels train and end in little memory")
    func native() throws {
        let (run, isSaved) = try train("--engine native", limit: 250_000)
        #expect(run.status == 0, "\(run.errors)")
        #expect(isSaved)
    }

    @Test("a model or a run that cannot fit is refused at the start, with what would")
    func refusal() throws {
        let workshop = try CommandWorkshop()
        // 128 million parameters in no file: the sizes alone decide.
        let configuration = String(
            decoding: try workshop.bytes("model/config.json"), as: UTF8.self)
        let wide = configuration.replacing(
            /"vocab_size": *[0-9]+/, with: "\"vocab_size\": 1000000")
        try #require(wide != configuration)
        try wide.write(toFile: workshop("model/config.json"), atomically: true, encoding: .utf8)
        for program in ["mtl-chat --prompt a", "mtl-finetune --data x.jsonl --output-dir o"] {
            let run = try CommandRun(
                "/bin/sh",
                [
                    "-c",
                    "ulimit -v 400000; exec '\(CommandRun.folder)'/\(program) --model '\(workshop.model)'",
                ])
            #expect(run.status == 1)
            #expect(
                run.errors.contains("weights take") && run.errors.contains("which are free"),
                "\(run.errors)")
        }
    }

    @Test("the largest batches that fit keep the records of a step")
    func automaticBatches() throws {
        let workshop = try CommandWorkshop()
        let run = try workshop.train(to: "out", ["--batch-size", "auto"])
        try #require(run.status == 0, "\(run.errors)")
        let written = String(decoding: try workshop.bytes("out/config.yaml"), as: UTF8.self)
        #expect(written.contains("batch_size: 16\n"))
        let again = try workshop.train(to: "out", ["--batch-size", "auto", "--resume"])
        #expect(again.status == 0, "\(again.errors)")
    }

    @Test("OpenBLAS is not begun with where its memory would be waited for")
    func openBLAS() throws {
        let (run, isSaved) = try train("--engine openblas --threads 16", limit: 600_000)
        #expect(run.status == 1 && !isSaved)
        let needed = "OpenBLAS takes up to 2048 MiB with 16 threads"
        #expect(run.errors.contains(needed), "\(run.errors)")
    }
}
