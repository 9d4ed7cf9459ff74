import FineTuning
import Kernels
import Prompting
import Threads
import Tokenization

/// Turning texts into ids, and records of a file into what is trained on.
struct TokenizingPart {
    /// What was measured with some threads.
    struct Row: Codable {
        let threads: Int
        /// Encoding texts that are in memory, in seconds.
        let texts: Timing
        /// Applying the template and encoding records that are in memory, in seconds.
        let records: Timing
    }

    /// What was measured.
    struct Result: Codable {
        let textCount: Int
        let textBytes: Int
        let ids: Int
        /// Reading and checking the file, in seconds.
        let reading: Double
        let rows: [Row]
    }

    let folder: String
    let data: String
    let threads: Int
    let stopwatch: Stopwatch
    let progress: Progress

    func run() throws -> Result {
        let loaded = try TokenizerLoader.load(at: folder)
        let configuration = TrainingConfiguration()
        let vocabulary = loaded.tokenizer.vocabularySize
        var records: [InstructionRecord] = []
        var failure: (any Error)?
        let reading = stopwatch.seconds {
            do {
                records = try InstructionData(
                    files: [data], format: .auto, vocabulary: vocabulary
                ).records
            } catch { failure = error }
        }
        if let failure { throw failure }
        progress.show("reading \(records.count) records", reading)
        let template = try PromptTemplate(
            name: configuration.template, tokenizer: loaded.configuration)
        let texts = try records.map { record in
            guard case .alpaca(_, _, let output) = record.content else { return [UInt8]() }
            return Array((try template.prompt(of: record) + output).utf8)
        }
        let encoder = RecordEncoder(
            text: try .init(tokenizer: loaded, template: template, endToken: 0),
            configuration: configuration, vocabulary: vocabulary)
        var ids = 0
        let rows = Set([1, threads]).sorted().map { threads in
            let pool = ThreadPool(threads: threads)
            let ofTexts = stopwatch.measure {
                ids = encode(texts, loaded.tokenizer, on: pool)
            }
            let ofRecords = stopwatch.measure {
                _ = try? encoder.encode(records, threads: threads)
            }
            progress.show("encoding texts with \(threads) threads", ofTexts.median)
            progress.show("encoding records with \(threads) threads", ofRecords.median)
            return Row(threads: threads, texts: ofTexts, records: ofRecords)
        }
        return Result(
            textCount: texts.count, textBytes: texts.reduce(0) { $0 + $1.count }, ids: ids,
            reading: reading, rows: rows)
    }

    /// The number of ids of all texts.
    private func encode(
        _ texts: [[UInt8]], _ tokenizer: any Tokenizer, on pool: ThreadPool
    ) -> Int {
        let encoders = (0..<pool.threads).map { _ in tokenizer.makeEncoder() }
        let size = 64
        let parts = (0..<(texts.count + size - 1) / size).map { _ in Part() }
        pool.run(parts.count) { index, worker in
            for text in texts[index * size..<min((index + 1) * size, texts.count)] {
                encoders[worker].encode(text, into: &parts[index].ids)
            }
        }
        return parts.reduce(0) { $0 + $1.ids.count }
    }

    /// The ids of some texts.
    private final class Part {
        var ids: [Int32] = []
    }
}
