import MambaLM
import Prompting

extension ChatSession {
    /// A prompt that was read for an answer.
    struct Prepared {
        var prompt: Branch.LastPrompt
        /// How many tokens were read for it.
        var readTokens: Int
    }

    /// Reads the prompt of a branch's last question, which has no answer yet.
    ///
    /// What the branch keeps of earlier readings is used where that changes no result.
    func prepare(_ branch: inout Branch) throws -> Prepared {
        switch settings.history {
        case .recompute: try prepareWhole(&branch)
        case .carry: try prepareTurn(&branch)
        }
    }

    /// The whole conversation as one prompt.
    private func prepareWhole(_ branch: inout Branch) throws -> Prepared {
        let text = try template.prompt(of: branch.transcript, endToken: endTokenText)
        let prompt = try tokens(ofPrompt: text, isFirst: true)
        if let last = branch.lastPrompt, last.reading.tokens == prompt {
            return Prepared(prompt: last, readTokens: 0)
        }
        let known = model.flow.dependsOnPrompt ? nil : branch.reading(ofBeginningOf: prompt)
        let rest = Array(prompt.dropFirst(known?.tokens.count ?? 0))
        try checkLength(rest)
        return Prepared(
            prompt: read(rest, after: known?.state, of: known?.tokens ?? [], in: &branch),
            readTokens: rest.count)
    }

    /// The last question's text as a prompt that goes on from the state of what came before.
    private func prepareTurn(_ branch: inout Branch) throws -> Prepared {
        guard model.flow.hasSingleState else {
            throw ChatError.noSingleState(topology: model.flow.description)
        }
        let added = try turnTokens(branch.transcript)
        let before = branch.count - 1
        if let last = branch.lastPrompt, last.exchanges == before, last.prompt == added {
            return Prepared(prompt: last, readTokens: 0)
        }
        let (point, readTokens) = try place(after: before, in: &branch)
        return Prepared(
            prompt: read(added, after: point?.state, of: point?.tokens ?? [], in: &branch),
            readTokens: readTokens + added.count)
    }

    private func read(
        _ prompt: [Int32], after state: SequenceState?, of earlier: [Int32],
        in branch: inout Branch
    ) -> Branch.LastPrompt {
        let last = Branch.LastPrompt(
            exchanges: branch.count - 1, prompt: prompt, before: state,
            reading: model.readPrompt(prompt, after: state, of: earlier))
        branch.keep(last)
        return last
    }

    /// The place after a number of exchanges, read turn by turn if it is not kept.
    ///
    /// - Returns: The place, `nil` before the first exchange; and how many tokens were read for it.
    private func place(
        after exchanges: Int, in branch: inout Branch
    ) throws -> (point: Branch.ReadPoint?, readTokens: Int) {
        var point = branch.point(upTo: exchanges)
        var readTokens = 0
        for exchange in (point?.exchanges ?? 0)..<exchanges {
            var turn = branch.transcript
            turn.exchanges.removeSubrange((exchange + 1)...)
            let answer = turn.exchanges[exchange].answer ?? ""
            turn.exchanges[exchange].answer = nil
            let prompt = try turnTokens(turn)
            let answerTokens = branch.answers[exchange] ?? tokenizer.tokenizer.encode(answer)
            var state: SequenceState?
            if let last = branch.lastPrompt, last.exchanges == exchange, last.prompt == prompt {
                state = last.reading.state
            } else {
                state = model.readPrompt(prompt, after: point?.state).state
                readTokens += prompt.count
            }
            state = model.readOn(answerTokens, after: state)
            readTokens += answerTokens.count
            guard let state else { continue }
            let next = Branch.ReadPoint(
                exchanges: exchange + 1, tokens: (point?.tokens ?? []) + prompt + answerTokens,
                state: state)
            branch.keep(next)
            point = next
        }
        return (point, readTokens)
    }

    /// The tokens that a conversation's last question adds to it.
    private func turnTokens(_ transcript: Transcript) throws -> [Int32] {
        let added = try tokens(
            ofPrompt: try template.continuation(of: transcript, endToken: endTokenText),
            isFirst: transcript.exchanges.count == 1)
        try checkLength(added)
        return added
    }

    private func tokens(ofPrompt text: String, isFirst: Bool) throws -> [Int32] {
        let addsStart =
            isFirst && tokenizer.configuration.addsBOSToken && !template.writesStartToken
        let start = addsStart ? tokenizer.bosID.map { [$0] } ?? [] : []
        let tokens = start + tokenizer.tokenizer.encode(text)
        try check(tokens)
        return tokens
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
