import Kernels
import MambaLM
import Storage
import Tensors
import TestSupport

/// A model whose results were computed by PyTorch; see scripts/reference.
enum ReferenceModel: String, CaseIterable {
    case plain, odd, original

    func load(threads: Int = 2, matrixKernel: CPUEngine.MatrixKernel? = nil) throws -> MambaModel {
        let engine = makeEngine(threads: threads, matrixKernel: matrixKernel)
        let (model, unused) = try MambaModel.load(
            folder: Fixtures.path(rawValue), engine: engine)
        precondition(unused.isEmpty)
        return model
    }

    /// What was scored: ids, and the log-probability of each after the first.
    func sequences() throws -> [ReferenceSequence] {
        let file = Fixtures.path(self == .odd ? "odd.json" : "plain.json")
        let fields = try JSONFields(JSONValue.read(file), file: file)
        return try fields.objects("sequences").map {
            ReferenceSequence(
                ids: try $0.integers("ids").map { Int32($0) },
                logProbabilities: try $0.array("logProbabilities").compactMap(\.numberValue),
                greedy: try $0.isPresent("greedy")
                    ? $0.integers("greedy").map { Int32($0) } : [])
        }
    }
}

struct ReferenceSequence {
    var ids: [Int32]
    var logProbabilities: [Double]
    /// What greedy generation continues the ids with.
    var greedy: [Int32]

    /// Every token after the first, scored in a batch at `rows`.
    func scored(at rows: Range<Int>) -> [ScoredToken] {
        ids.indices.dropFirst().map {
            ScoredToken(row: rows.lowerBound + $0 - 1, target: ids[$0])
        }
    }
}

extension Tolerance {
    /// Log-probabilities of a tiny model in single precision, by two programs.
    static let logProbability = Tolerance(absolute: 2e-5, relative: 0)
}
