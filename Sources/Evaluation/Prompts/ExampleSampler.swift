import Storage

/// Picks the examples of prompts, as lm-evaluation-harness does.
///
/// One generator serves a whole task: the examples of a document depend on all draws before it.
///
/// Source: lm-evaluation-harness 0.4.13, `api/samplers.py`.
struct ExampleSampler {
    private let task: String
    private let sampler: TaskConfiguration.FewShot.Sampler
    private let pool: [Document]
    /// Whether the document itself may be in the pool and must not be its own example.
    private let excludesDocument: Bool
    private var random: PythonRandom

    /// Prepares to pick.
    ///
    /// - Parameters:
    ///   - pool: What examples are picked from.
    ///   - excludesDocument: Whether documents equal to the one asked are left out.
    ///   - task: The task, for its sampler and for messages.
    ///   - seed: The seed of the generator.
    init(pool: [Document], excludesDocument: Bool, task: TaskConfiguration, seed: UInt64) {
        (self.pool, self.excludesDocument) = (pool, excludesDocument)
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
            let candidates = excludesDocument ? others(pool) : pool
            guard candidates.count >= count else {
                throw .fewExamples(task: task, found: candidates.count, expected: count)
            }
            return Array(candidates.prefix(count))
        case .random:
            guard excludesDocument, !document.object.isEmpty else {
                return try draw(count, from: pool)
            }
            let drawn = others(try draw(count + 1, from: pool))
            if drawn.count >= count { return Array(drawn.prefix(count)) }
            // The document stands in the pool more than once.
            return try draw(count, from: others(pool))
        }
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
