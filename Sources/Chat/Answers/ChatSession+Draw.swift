import MambaLM

extension ChatSession {
    /// Draws answers to a branch's last question, which has none yet.
    ///
    /// - Parameters:
    ///   - count: The number of answers.
    ///   - asked: The branch; keeps the prompt that was read.
    ///   - onEvent: See ``reply(to:onEvent:)``.
    /// - Returns: The answers, and what was drawn for each.
    /// - Throws: ``ChatError`` or `PromptError`, before anything is drawn.
    func draw(
        _ count: Int, of asked: inout Branch, onEvent: (ReplyEvent) -> Bool
    ) throws -> (replies: [Reply], texts: [Generation.Text]) {
        try settings.validate()
        let clock = ContinuousClock()
        let start = clock.now
        let prepared = try prepare(&asked) { progress in
            guard onEvent(.reading(progress)) else {
                throw ChatError.readingStopped(
                    tokens: progress.readTokens, total: progress.totalTokens)
            }
        }
        let generation = Generation(
            of: model, after: prepared.prompt.reading, generationSettings, count: count)
        let prefill = clock.now - start
        var answers = (0..<count).map { _ in
            AnswerText(
                tokenizer.tokenizer, stopStrings: stopStrings, repeating: prepared.unreadEnd)
        }
        var isStopped = false
        func show(_ piece: String, of text: Int) {
            if !piece.isEmpty, !onEvent(.text(piece, answer: text)) { isStopped = true }
        }
        var isDone = false
        while !isDone {
            if !onEvent(.drawing) || isStopped {
                for text in generation.texts.indices
                where generation.texts[text].stopReason == nil {
                    generation.end(text, .stopped)
                }
            }
            let draws = generation.next()
            for draw in draws {
                show(answers[draw.text].push(draw.token), of: draw.text)
                if answers[draw.text].stop != nil { generation.end(draw.text, .stop) }
            }
            isDone = draws.isEmpty
        }
        let decode = clock.now - start - prefill
        let replies = generation.texts.indices.map { place in
            show(answers[place].finish(), of: place)
            return reply(
                generation.texts[place], answers[place], prepared, prefill: prefill,
                decode: decode)
        }
        addToStatistics(replies, prefill: prefill, decode: decode)
        return (replies, generation.texts)
    }

    private func reply(
        _ text: Generation.Text, _ answer: AnswerText, _ prepared: Prepared, prefill: Duration,
        decode: Duration
    ) -> Reply {
        var reply = Reply()
        (reply.text, reply.tokens) = (answer.text, text.tokens)
        reply.logProbabilities = settings.keepsLogProbabilities ? text.logProbabilities : nil
        reply.stopReason = answer.stop == nil ? text.stopReason ?? .length : .stop
        reply.stopString = answer.stop.map { stopStrings[$0] }
        reply.promptTokens =
            settings.history == .carry
            ? prepared.prompt.prompt.count : prepared.prompt.reading.tokens.count
        reply.readTokens = prepared.readTokens
        (reply.prefillDuration, reply.decodeDuration) = (prefill, decode)
        return reply
    }

    private func addToStatistics(
        _ replies: [Reply], prefill: Duration, decode: Duration
    ) {
        counts.replies += replies.count
        counts.readTokens += replies.first?.readTokens ?? 0
        counts.drawnTokens += replies.reduce(0) { $0 + $1.tokens.count }
        counts.prefillDuration += prefill
        counts.decodeDuration += decode
    }

    /// The token with which the template ends answers; nil if it ends them with none, or with more text.
    private var answerEndToken: Int32? {
        template.answerEnd.flatMap { tokenizer.tokenizer.id(of: $0) }
    }

    /// What ends an answer: what the user asked for, and the template's own end where it is no token.
    private var stopStrings: [String] {
        guard let end = template.answerEnd, answerEndToken == nil else {
            return settings.stopStrings
        }
        return settings.stopStrings + [end]
    }

    private var generationSettings: Generation.Settings {
        var x = Generation.Settings()
        x.sampling = settings.sampling
        x.seed = TokenSampler.seed(settings.seed, stream: drawnReplies)
        x.limit = settings.maxTokens
        x.endTokens = settings.endTokens.union(model.configuration.endTokens)
            .union(model.configuration.generationEndTokens)
        if let end = tokenizer.eosID { x.endTokens.insert(end) }
        if let end = answerEndToken { x.endTokens.insert(end) }
        x.keepsLogProbabilities = settings.keepsLogProbabilities
        return x
    }
}
