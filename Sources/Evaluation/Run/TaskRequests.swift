import Python

/// The requests of a task as token ids.
struct TaskRequests {
    /// The requests; those of whole texts are cut into windows.
    private(set) var requests: [ScoringRequest] = []
    /// To which item, request and window each belongs.
    private(set) var places: [(item: Int, request: Int, window: Int)] = []
    /// How many requests have contexts that are longer than what is read.
    private(set) var truncated = 0

    /// Encodes a task's requests.
    ///
    /// - Throws: ``EvaluationError`` where a continuation has no tokens or too many, or a token is not
    ///   one of the model's.
    init(
        _ task: PreparedTask, encoder: inout RequestEncoder, maximumLength: Int, vocabulary: Int
    ) throws(EvaluationError) {
        for (index, item) in task.items.enumerated() {
            for (number, request) in item.requests.enumerated() {
                switch request {
                case .continuation(let context, let continuation):
                    let encoded = encoder.encode(context: context, continuation: continuation)
                    let count = encoded.continuation.count
                    guard (1...maximumLength).contains(count) else {
                        throw .continuation(
                            place: item.document.place, task: task.task.name,
                            text: continuation.slice(0, 80), tokens: count, limit: maximumLength)
                    }
                    if encoded.context.count + count - 1 > maximumLength { truncated += 1 }
                    requests.append(encoded)
                    places.append((index, number, 0))
                case .rolling(let text):
                    let windows = RollingWindows.of(
                        encoder.encode(text), prefix: encoder.prefixToken,
                        length: maximumLength)
                    requests += windows
                    places += windows.indices.map { (index, number, $0) }
                }
            }
        }
        for (request, place) in zip(requests, places) {
            let ids = [request.context, request.continuation]
            if let id = ids.joined().first(where: { $0 < 0 || Int($0) >= vocabulary }) {
                throw .unknownToken(
                    place: task.items[place.item].document.place, task: task.task.name,
                    id: Int(id), vocabulary: vocabulary)
            }
        }
    }
}
