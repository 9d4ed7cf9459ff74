import Kernels
import MambaLM
import Tensors

/// Every operation, and the runs made of them, beside the limits of the machine.
struct OperationsPart {
    let engine: CPUEngine
    let folder: String
    let lengths: [Int]
    let stopwatch: Stopwatch
    let progress: Progress

    /// Measures all, and the limits before and after it.
    func run(memory: Int) throws -> (operations: [MeasuredOperation], limits: MachineLimits) {
        let before = MachineLimits(of: engine, largest: memory)
        var operations = try measureAll(before)
        let limits = before.best(with: MachineLimits(of: engine, largest: memory))
        for index in operations.indices { operations[index].compare(with: limits) }
        return (operations, limits)
    }

    private func measureAll(_ limits: MachineLimits) throws -> [MeasuredOperation] {
        let shape = ModelShape()
        var results: [MeasuredOperation] = []
        let formats: [WeightMatrix.Format] =
            engine.multipliesInBFloat16 ? [.float32, .bfloat16] : [.float32]
        for tokens in lengths {
            let operations =
                formats.flatMap {
                    MatrixProducts(engine: engine, shape: shape, format: $0)
                        .operations(tokens: tokens)
                }
                + LowRankProducts(engine: engine, shape: shape).operations(tokens: tokens)
                + Elementwise(engine: engine, shape: shape).operations(tokens: tokens)
                + Scans(engine: engine, shape: shape).operations(tokens: tokens)
                + Losses(engine: engine, shape: shape).operations(tokens: tokens)
            for operation in operations {
                results.append(measure(operation, tokens: tokens, limits))
            }
        }
        let bench = try ModelBench(folder: folder, engine: engine)
        for tokens in lengths {
            for operation in runs(bench, tokens: tokens) {
                results.append(measure(operation, tokens: tokens, limits))
            }
        }
        return results
    }

    /// Training, scoring, reading and writing with the whole model.
    private func runs(_ bench: ModelBench, tokens: Int) -> [Operation] {
        let configuration = bench.model.configuration
        let work = ModelWork(configuration: configuration)
        let records = BenchRecord.records(tokens: tokens, vocabulary: configuration.vocabulary)
        let text = BenchRecord(length: tokens, seed: 9, vocabulary: configuration.vocabulary).tokens
        return [
            Operation(
                name: "training step", group: "Model",
                work: work.step(tokens: tokens, scored: tokens / 2),
                formula: "records of 128 tokens, half of them scored; necessary FLOP alone"
            ) { { bench.train(records) } },
            Operation(
                name: "scoring", group: "Model",
                work: work.reading(tokens: tokens, scored: tokens / 2),
                formula: "records of 128 tokens, half of them scored"
            ) { { bench.score(records) } },
            Operation(
                name: "prefill", group: "Model", work: work.reading(tokens: tokens, scored: 1),
                formula: "one text, logits of the last token"
            ) { { _ = bench.prefill(text) } },
            Operation(
                name: "decode, one token", group: "Model",
                work: work.decoding(bytesAWeight: 4),
                formula: "every weight read once: 4 bytes each"
            ) {
                var state = bench.prefill(Array(text.prefix(512)))
                return { state = bench.decode(after: state) }
            },
        ]
    }

    private func measure(
        _ operation: Operation, tokens: Int, _ limits: MachineLimits
    ) -> MeasuredOperation {
        let timing = stopwatch.measure(operation.prepare())
        var measured = MeasuredOperation(
            name: operation.name, group: operation.group, tokens: tokens,
            formula: operation.formula, work: operation.work, timing: timing)
        measured.compare(with: limits)
        progress.show("\(operation.name), \(tokens) tokens", timing.median, measured.limit)
        return measured
    }
}
