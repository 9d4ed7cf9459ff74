import MambaLM
import Prompting

extension ChatSession {
    /// Answers a question and adds both to the conversation.
    ///
    /// - Parameters:
    ///   - question: What the user says; not empty.
    ///   - onEvent: Is told what happens, and whether to go on: false ends the answer, whose part so far stays
    ///     in the conversation, with ``StopReason/stopped``; while the prompt is read, false throws
    ///     ``ChatError/readingStopped(tokens:total:)``.
    /// - Returns: The answer.
    /// - Throws: ``ChatError`` or `PromptError`; then nothing is added.
    @discardableResult
    public func reply(
        to question: String, onEvent: (ReplyEvent) -> Bool = { _ in true }
    ) throws -> Reply {
        var asked = try asking(question)
        let reply = try answer(&asked, onEvent: onEvent)
        branch = asked
        return reply
    }

    /// Answers the last question again, in place of its answer: with other random numbers, and without
    /// reading the prompt again.
    ///
    /// - Parameter onEvent: See ``reply(to:onEvent:)``.
    /// - Returns: The new answer.
    /// - Throws: ``ChatError``; then the old answer stays.
    @discardableResult
    public func regenerate(onEvent: (ReplyEvent) -> Bool = { _ in true }) throws -> Reply {
        var asked = try askingAgain()
        let reply = try answer(&asked, onEvent: onEvent)
        branch = asked
        return reply
    }

    /// Takes the last question and its answer back.
    ///
    /// - Returns: What was taken back.
    /// - Throws: ``ChatError/nothingSaid``.
    @discardableResult
    public func undo() throws -> Transcript.Exchange {
        guard let last = transcript.exchanges.last else { throw ChatError.nothingSaid }
        branch.cut(to: branch.count - 1)
        return last
    }

    /// Forgets the current branch's questions and answers; what the model is told first stays.
    public func clear() {
        branch.cut(to: 0)
        // What is saved is another conversation then.
        if named.allSatisfy({ $0.branch.count == 0 }) { files = SessionFiles() }
    }

    /// Draws several answers to a question, without adding to the conversation.
    ///
    /// The prompt is read once, and the answers are drawn together. Each has random numbers of its own:
    /// the first is what ``reply(to:onEvent:)`` would give, and no answer depends on how many there are.
    ///
    /// - Parameters:
    ///   - question: What the user says.
    ///   - count: The number of answers, at least 1.
    ///   - onEvent: See ``reply(to:onEvent:)``; false ends all answers.
    /// - Returns: The answers.
    /// - Throws: ``ChatError`` or `PromptError`.
    public func samples(
        for question: String, count: Int, onEvent: (ReplyEvent) -> Bool = { _ in true }
    ) throws -> [Reply] {
        var asked = try asking(question)
        return try draw(count, of: &asked, onEvent: onEvent).replies
    }

    /// The current branch with a question added.
    func asking(_ question: String) throws -> Branch {
        guard !question.isEmpty else { throw ChatError.emptyPrompt }
        checkTopology()
        var asked = branch
        asked.transcript.exchanges.append(Transcript.Exchange(question: question))
        asked.answers.append(nil)
        return asked
    }

    /// The current branch without its last answer.
    func askingAgain() throws -> Branch {
        checkTopology()
        var asked = branch
        guard asked.count > 0 else { throw ChatError.nothingSaid }
        asked.dropAnswer()
        return asked
    }

    /// Draws the answer to a branch's last question and adds it.
    private func answer(
        _ asked: inout Branch, onEvent: (ReplyEvent) -> Bool
    ) throws -> Reply {
        let (replies, texts) = try draw(1, of: &asked, onEvent: onEvent)
        let (reply, text) = (replies[0], texts[0])
        drawnReplies += 1
        asked.transcript.exchanges[asked.count - 1].answer = reply.text
        keepAnswer(reply, text, in: &asked)
        return reply
    }

    /// Keeps the tokens of an answer and, where a later turn can use it, the place after them.
    private func keepAnswer(_ reply: Reply, _ text: Generation.Text, in asked: inout Branch) {
        // What follows a stop string's first character is no part of the answer: its text is read anew.
        guard reply.stopReason != .stop else { return }
        asked.answers[asked.count - 1] = reply.tokens
        let isUseful =
            switch settings.history {
            case .carry: true
            case .recompute: !model.flow.dependsOnPrompt
            case .separate: false
            }
        guard isUseful, let last = asked.lastPrompt,
            let state = model.readOn(Array(text.tokens.suffix(text.unreadCount)), after: text.state)
        else { return }
        asked.keep(
            Branch.ReadPoint(
                exchanges: asked.count, tokens: last.reading.tokens + text.tokens, state: state))
    }
}

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
        reply.text = answer.text
        reply.tokens = text.tokens
        reply.logProbabilities = settings.keepsLogProbabilities ? text.logProbabilities : nil
        reply.stopReason = answer.stop == nil ? text.stopReason ?? .length : .stop
        reply.stopString = answer.stop.map { stopStrings[$0] }
        reply.promptTokens =
            settings.history == .carry
            ? prepared.prompt.prompt.count : prepared.prompt.reading.tokens.count
        reply.readTokens = prepared.readTokens
        reply.prefillDuration = prefill
        reply.decodeDuration = decode
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
        template.answerEndToken(in: tokenizer.tokenizer)
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

extension ChatSession {
    /// A prompt that was read for an answer.
    struct Prepared {
        var prompt: Branch.LastPrompt
        /// How many tokens were read for it.
        var readTokens: Int
        /// White space at the end of the prompt that is left to the answer's first token.
        var unreadEnd = ""
    }

    /// Reads the prompt of a branch's last question, which has no answer yet.
    ///
    /// What the branch keeps of earlier readings is used where that changes no result.
    ///
    /// - Parameters:
    ///   - branch: The branch; keeps what was read, and counts no more if this throws.
    ///   - onProgress: Called before each layer; what it throws ends the reading.
    /// - Returns: The prompt.
    /// - Throws: ``ChatError``, `PromptError` or what `onProgress` throws.
    func prepare(
        _ branch: inout Branch, onProgress: (ReadingProgress) throws -> Void
    ) throws -> Prepared {
        switch settings.history {
        case .recompute, .separate: try prepareWhole(&branch, onProgress: onProgress)
        case .carry: try prepareTurn(&branch, onProgress: onProgress)
        }
    }

    /// The whole conversation as one prompt, or its last question alone.
    private func prepareWhole(
        _ branch: inout Branch, onProgress: (ReadingProgress) throws -> Void
    ) throws -> Prepared {
        var read = branch.transcript
        if settings.history == .separate { read.exchanges.removeFirst(branch.count - 1) }
        let text = try template.prompt(of: read, endToken: endTokenText)
        let (prompt, unreadEnd) = try tokens(ofPrompt: text, isFirst: true)
        if let last = branch.lastPrompt, last.reading.tokens == prompt {
            return Prepared(prompt: last, readTokens: 0, unreadEnd: unreadEnd)
        }
        let known = model.flow.dependsOnPrompt ? nil : branch.reading(ofBeginningOf: prompt)
        let rest = Array(prompt.dropFirst(known?.tokens.count ?? 0))
        try checkLength(rest)
        let last = try self.read(
            rest, after: known?.state, of: known?.tokens ?? [], in: &branch
        ) {
            try onProgress(ReadingProgress(readTokens: $0, totalTokens: rest.count))
        }
        return Prepared(prompt: last, readTokens: rest.count, unreadEnd: unreadEnd)
    }

    /// The last question's text as a prompt that goes on from the state of what came before.
    private func prepareTurn(
        _ branch: inout Branch, onProgress: (ReadingProgress) throws -> Void
    ) throws -> Prepared {
        guard model.flow.hasSingleState else {
            throw ChatError.noSingleState(topology: model.flow.description)
        }
        let (added, unreadEnd) = try turnTokens(branch.transcript)
        let before = branch.count - 1
        if let last = branch.lastPrompt, last.exchanges == before, last.prompt == added {
            return Prepared(prompt: last, readTokens: 0, unreadEnd: unreadEnd)
        }
        let turns = try unreadTurns(of: branch)
        let total = turns.reduce(added.count) { $0 + $1.unreadCount }
        var done = 0
        func report(_ tokens: Int) throws {
            try onProgress(ReadingProgress(readTokens: done + tokens, totalTokens: total))
        }
        for turn in turns {
            try read(turn, in: &branch, onProgress: report)
            done += turn.unreadCount
        }
        let point = branch.point(upTo: before)
        let last = try read(
            added, after: point?.state, of: point?.tokens ?? [], in: &branch, onProgress: report)
        return Prepared(prompt: last, readTokens: total, unreadEnd: unreadEnd)
    }

    private func read(
        _ prompt: [Int32], after state: SequenceState?, of earlier: [Int32],
        in branch: inout Branch, onProgress: (Int) throws -> Void
    ) rethrows -> Branch.LastPrompt {
        let last = Branch.LastPrompt(
            exchanges: branch.count - 1, prompt: prompt, before: state,
            reading: try model.readPrompt(
                prompt, after: state, of: earlier, onProgress: onProgress))
        branch.keep(last)
        return last
    }

    /// An exchange whose answer was not read in its place.
    private struct UnreadTurn {
        /// How many exchanges came before it.
        let exchange: Int
        /// What the question adds to the conversation.
        let prompt: [Int32]
        /// What it left behind; `nil` if it was not read.
        let state: SequenceState?
        /// The answer.
        let answer: [Int32]

        /// The tokens to read.
        var unreadCount: Int { (state == nil ? prompt.count : 0) + answer.count }
    }

    /// The exchanges between the newest kept place and a branch's last question.
    private func unreadTurns(of branch: Branch) throws -> [UnreadTurn] {
        let before = branch.count - 1
        return try ((branch.point(upTo: before)?.exchanges ?? 0)..<before).map { exchange in
            var turn = branch.transcript
            turn.exchanges.removeSubrange((exchange + 1)...)
            let answer = turn.exchanges[exchange].answer ?? ""
            turn.exchanges[exchange].answer = nil
            let (prompt, unreadEnd) = try turnTokens(turn)
            let last = branch.lastPrompt.flatMap {
                $0.exchanges == exchange && $0.prompt == prompt ? $0 : nil
            }
            return UnreadTurn(
                exchange: exchange, prompt: prompt, state: last?.reading.state,
                answer: branch.answers[exchange] ?? tokenizer.tokenizer.encode(unreadEnd + answer))
        }
    }

    /// Reads an exchange where the one before it ends, and keeps the place after it.
    private func read(
        _ turn: UnreadTurn, in branch: inout Branch, onProgress: (Int) throws -> Void
    ) rethrows {
        let point = branch.point(upTo: turn.exchange)
        var (state, done) = (turn.state, 0)
        if state == nil {
            state = try model.readPrompt(
                turn.prompt, after: point?.state, onProgress: onProgress
            ).state
            done = turn.prompt.count
        }
        state = try model.readOn(turn.answer, after: state) { try onProgress(done + $0) }
        guard let state else { return }
        branch.keep(
            Branch.ReadPoint(
                exchanges: turn.exchange + 1,
                tokens: (point?.tokens ?? []) + turn.prompt + turn.answer, state: state))
    }

    /// The tokens that a conversation's last question adds to it.
    private func turnTokens(_ transcript: Transcript) throws -> ([Int32], unreadEnd: String) {
        let (added, unreadEnd) = try tokens(
            ofPrompt: try template.continuation(of: transcript, endToken: endTokenText),
            isFirst: transcript.exchanges.count == 1)
        try checkLength(added)
        return (added, unreadEnd)
    }

    /// The tokens of a prompt, except for those at its end that the first token of an answer takes in.
    ///
    /// In training a prompt that ends in a space ends before it, since the space and the answer's first
    /// word are one token there; so it does here, and the answer begins with the space.
    private func tokens(
        ofPrompt text: String, isFirst: Bool
    ) throws -> ([Int32], unreadEnd: String) {
        let addsStart = isFirst && !template.writesStartToken
        let start = addsStart ? tokenizer.startID.map { [$0] } ?? [] : []
        let tokens = start + tokenizer.tokenizer.encode(text)
        try check(tokens)
        guard text.last?.isWhitespace == true else { return (tokens, "") }
        let answered = start + tokenizer.tokenizer.encode(text + "a")
        let common = zip(tokens, answered).prefix { $0 == $1 }.count
        guard common < tokens.count, common > start.count else { return (tokens, "") }
        let end = tokenizer.tokenizer.decode(Array(tokens[common...]))
        guard end.allSatisfy(\.isWhitespace) else { return (tokens, "") }
        return (Array(tokens[..<common]), end)
    }

    /// Refuses tokens that the model cannot read.
    func check(_ tokens: [Int32]) throws {
        guard !tokens.isEmpty else { throw ChatError.emptyPrompt }
        let vocabulary = model.configuration.vocabulary
        if let foreign = tokens.first(where: { $0 < 0 || Int($0) >= vocabulary }) {
            throw ChatError.foreignToken(id: foreign, vocabulary: vocabulary)
        }
    }

    /// Refuses more tokens than are to be read in one pass.
    func checkLength(_ tokens: [Int32]) throws {
        guard tokens.count <= settings.promptLimit else {
            throw ChatError.promptTooLong(tokens: tokens.count, limit: settings.promptLimit)
        }
    }

    /// How templates that write turn by turn end an answer.
    private var endTokenText: String {
        tokenizer.configuration.eosToken
            ?? tokenizer.eosID.flatMap { tokenizer.tokenizer.token(for: $0) } ?? "\n\n"
    }
}
