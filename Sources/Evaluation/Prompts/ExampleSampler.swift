import Python
import Storage

/// Picks the examples of prompts, as lm-evaluation-harness does.
///
/// One generator serves a whole task: the examples of a document depend on all draws before it.
///
/// Source: lm-evaluation-harness 0.4.13, `api/samplers.py`.
struct ExampleSampler {
    /// How a document is kept from being its own example.
    enum Exclusion {
        /// It is not: the pool holds other documents, or the harness lets it.
        case none
        /// As in the harness: one more is drawn, and those equal to the document are dropped.
        case drawsOneMore
        /// The next one of the pool takes its place; the draws of other documents stay as they are.
        case replaces
    }

    private let task: String
    private let sampler: TaskConfiguration.FewShot.Sampler
    private let pool: [Document]
    private let exclusion: Exclusion
    private var random: PythonRandom

    /// Prepares to pick.
    ///
    /// - Parameters:
    ///   - pool: What examples are picked from.
    ///   - exclusion: How documents equal to the one asked are left out.
    ///   - task: The task, for its sampler and for messages.
    ///   - seed: The seed of the generator.
    init(pool: [Document], exclusion: Exclusion, task: TaskConfiguration, seed: UInt64) {
        (self.pool, self.exclusion) = (pool, exclusion)
        (self.task, sampler) = (task.name, task.fewShot.sampler)
        random = PythonRandom(seed: seed)
    }

    /// Picks examples for a document.
    ///
    /// - Throws: ``EvaluationError/fewExamples(task:found:expected:)``.
    mutating func pick(_ count: Int, for document: Document) throws(EvaluationError) -> [Document] {
        guard count > 0 else { return [] }
        func others(_ documents: [Document]) -> [Document] {
            documents.filter { !$0.object.equalsInPython(document.object) }
        }
        switch sampler {
        case .first:
            let candidates = exclusion == .none ? pool : others(pool)
            guard candidates.count >= count else {
                throw .fewExamples(task: task, found: candidates.count, expected: count)
            }
            return Array(candidates.prefix(count))
        case .random:
            guard exclusion != .none, !document.object.isEmpty else {
                return try draw(count, from: pool)
            }
            if exclusion == .replaces { return try replacing(document, count) }
            let drawn = others(try draw(count + 1, from: pool))
            if drawn.count >= count { return Array(drawn.prefix(count)) }
            // The document stands in the pool more than once.
            return try draw(count, from: others(pool))
        }
    }

    /// Draws, and puts the next documents of the pool in the place of those equal to the one asked.
    private mutating func replacing(
        _ document: Document, _ count: Int
    ) throws(EvaluationError) -> [Document] {
        guard pool.count >= count else {
            throw .fewExamples(task: task, found: pool.count, expected: count)
        }
        var drawn = random.sample(count, of: pool.count)
        func isOwn(_ place: Int) -> Bool {
            pool[place].object.equalsInPython(document.object)
        }
        for index in drawn.indices where isOwn(drawn[index]) {
            let next = (1..<pool.count).map { (drawn[index] + $0) % pool.count }
                .first { !drawn.contains($0) && !isOwn($0) }
            guard let next else {
                throw .fewExamples(task: task, found: pool.count - 1, expected: count)
            }
            drawn[index] = next
        }
        return drawn.map { pool[$0] }
    }

    private mutating func draw(
        _ count: Int, from pool: [Document]
    ) throws(EvaluationError) -> [Document] {
        guard pool.count >= count else {
            throw .fewExamples(task: task, found: pool.count, expected: count)
        }
        return random.sample(count, of: pool.count).map { pool[$0] }
    }
}
