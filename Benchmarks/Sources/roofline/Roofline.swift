import ArgumentParser
import FoundationEssentials
import Kernels
import Tensors

/// Measures operations and runs of a whole model beside what the machine can do.
///
/// Writes one JSON file a part, from which the pages are made.
@main
struct Roofline: ParsableCommand {
    /// What can be measured.
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case operations, lengths, threads, inference, tokenizing, session
    }

    static let configuration = CommandConfiguration(
        commandName: "roofline",
        abstract: "Measure operations and runs beside the limits of the machine.")

    @Argument(help: "operations, lengths, threads, inference, tokenizing or session.")
    var part: Part

    @Option(help: "The folder of the model, with tokenizer.json for tokenizing.")
    var model: String

    @Option(help: "The folder to write the part's JSON file into.")
    var output = "."

    @Option(help: "Alpaca records, for tokenizing.")
    var data: String?

    @Option(help: "A JSON array of token ids to read, for inference.")
    var tokens: String?

    @Option(help: "How linear weights and the embedding are kept, for inference and threads.")
    var dtype = WeightMatrix.Format.float32

    @Option(help: "The number of threads; 0 for one on each core.")
    var threads = 0

    @Option(parsing: .upToNextOption, help: "Lengths in tokens instead of the usual ones.")
    var lengths: [Int] = []

    @Option(help: "How long each measurement is repeated, in seconds.")
    var seconds = 0.3

    @Option(help: "The bytes worked through to measure memory; more than all caches hold.")
    var memory = 1 << 30

    func run() throws {
        let count = threads > 0 ? threads : Processor.physicalCores
        let engine = CPUEngine(threads: count)
        let (stopwatch, progress) = (Stopwatch(budget: seconds), Progress())
        var report = Report(part: part.rawValue, engine: engine)
        switch part {
        case .operations:
            let (operations, limits) = try OperationsPart(
                engine: engine, folder: model,
                lengths: lengths.isEmpty ? [128, 512, 2048, 16384] : lengths,
                stopwatch: stopwatch, progress: progress
            ).run(memory: memory)
            (report.operations, report.limits) = (operations, limits)
        case .lengths:
            report.lengths = try LengthsPart(
                engine: engine, folder: model,
                lengths: lengths.isEmpty ? [512, 4096, 16384, 65536] : lengths,
                progress: progress
            ).run()
        case .threads:
            report.scaling = try ThreadsPart(
                threads: max(count, 2), folder: model, format: dtype, progress: progress
            ).run()
        case .inference:
            guard let tokens else { throw ValidationError("--tokens names no file.") }
            let ids = try Data(contentsOf: URL(filePath: tokens))
            let (inference, limits) = try InferencePart(
                engine: engine, folder: model, format: dtype,
                text: try JSONDecoder().decode([Int32].self, from: ids), stopwatch: stopwatch,
                progress: progress
            ).run { MachineLimits(of: engine, largest: memory) }
            (report.inference, report.limits) = (inference, limits)
        case .tokenizing:
            guard let data else { throw ValidationError("--data names no file.") }
            report.tokenizing = try TokenizingPart(
                folder: model, data: data, threads: count, stopwatch: stopwatch,
                progress: progress
            ).run()
        case .session:
            report.session = try SessionPart(
                engine: engine, folder: model, tokens: lengths.first ?? 50_000, progress: progress
            ).run()
        }
        try report.write(to: "\(output)/\(part.rawValue).json")
    }
}

extension WeightMatrix.Format: @retroactive ExpressibleByArgument {}

/// What a part's file holds.
private struct Report: Encodable {
    let part: String
    let processor = Processor.name
    let threads: Int
    let engine: String
    /// Seconds since 1970.
    let time = Int(Date().timeIntervalSince1970)
    var limits: MachineLimits?
    var operations: [MeasuredOperation]?
    var lengths: [LengthsPart.Row]?
    var scaling: ThreadsPart.Result?
    var inference: InferencePart.Result?
    var tokenizing: TokenizingPart.Result?
    var session: [SessionPart.Row]?

    init(part: String, engine: CPUEngine) {
        (self.part, self.engine, threads) = (part, engine.summary, engine.pool.threads)
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let file = URL(filePath: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(self).write(to: file, options: .atomic)
    }
}
