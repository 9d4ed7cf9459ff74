import Kernels
import MambaLM
import Tensors

/// Reading a text and writing one token after another: what inference libraries are compared in.
struct InferencePart {
    /// What was measured.
    struct Result: Codable {
        let prefillTokens: Int
        let prefill: Timing
        let decode: Timing
        /// The shortest time of a token by memory, in seconds.
        let decodeLimit: Double
        /// The most memory in use while reading and decoding, in bytes.
        let peakBytes: Int
        /// The most likely token after the text, which other programs must find too.
        let answer: Int
    }

    let engine: CPUEngine
    let folder: String
    /// How weights are kept.
    let format: WeightMatrix.Format
    /// The text, as token ids.
    let text: [Int32]
    let stopwatch: Stopwatch
    let progress: Progress

    /// Measures, and then the machine's limits, whose memory is no part of the model's.
    func run(_ measureLimits: () -> MachineLimits) throws -> (Result, MachineLimits) {
        let model = try MambaModel.load(folder: folder, engine: engine, format: format).model
        let prefill = stopwatch.measure {
            _ = model.read(TokenBatch([.init(tokens: text, promptLength: text.count)]))
        }
        progress.show("prefill of \(text.count) tokens", prefill.median)
        let last = model.read(TokenBatch([.init(tokens: text, promptLength: text.count)]))
        let logits = last.logits.values
        let answer = logits.indices.max { logits[$0] < logits[$1] } ?? 0
        var state = last.states[0]
        let decode = stopwatch.measure {
            state = model.read(TokenBatch([.init(tokens: [17], state: state)])).states[0]
        }
        let peakBytes = Processor.peakBytes ?? 0
        let limits = measureLimits()
        let work = ModelWork(configuration: model.configuration)
            .decoding(bytesAWeight: format.bytes)
        let limit = work.bytes / limits.bandwidth(for: work.bytes).read
        progress.show("decoding a token", decode.median, limit)
        let result = Result(
            prefillTokens: text.count, prefill: prefill, decode: decode, decodeLimit: limit,
            peakBytes: peakBytes, answer: answer)
        return (result, limits)
    }
}

extension WeightMatrix.Format {
    /// The bytes of a weight.
    fileprivate var bytes: Double {
        switch self {
        case .float32: 4
        case .bfloat16: 2
        case .int8: 1
        }
    }
}
