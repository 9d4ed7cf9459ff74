import MambaLM
import Prompting

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
        case .recompute: try prepareWhole(&branch, onProgress: onProgress)
        case .carry: try prepareTurn(&branch, onProgress: onProgress)
        }
    }

    /// The whole conversation as one prompt.
    private func prepareWhole(
        _ branch: inout Branch, onProgress: (ReadingProgress) throws -> Void
    ) throws -> Prepared {
        let text = try template.prompt(of: branch.transcript, endToken: endTokenText)
        let (prompt, unreadEnd) = try tokens(ofPrompt: text, isFirst: true)
        if let last = branch.lastPrompt, last.reading.tokens == prompt {
            return Prepared(prompt: last, readTokens: 0, unreadEnd: unreadEnd)
        }
        let known = model.flow.dependsOnPrompt ? nil : branch.reading(ofBeginningOf: prompt)
        let rest = Array(prompt.dropFirst(known?.tokens.count ?? 0))
        try checkLength(rest)
        let last = try read(
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

    /// The tokens of a prompt, but for those at its end that the first token of an answer takes in.
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
