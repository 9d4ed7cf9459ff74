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

    @Test("OpenBLAS is not begun with where its memory would be waited for")
    func openBLAS() throws {
        let (run, isSaved) = try train("--engine openblas --threads 16", limit: 600_000)
        #expect(run.status == 1 && !isSaved)
        let needed = "OpenBLAS takes up to 2048 MiB with 16 threads"
        #expect(run.errors.contains(needed), "\(run.errors)")
    }
}
