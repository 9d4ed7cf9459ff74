/// Runs a pattern over a text.
struct PatternMatcher {
    let pattern: Pattern
    let text: [Unicode.Scalar]
    /// Counts steps, and throws when there were too many.
    let charge: (Int) throws -> Void

    /// The greatest number of choices still open, which take memory.
    static let maximumPending = 1_000_000

    /// Bounds of the groups, two entries each; group 0 is the match.
    typealias Captures = [Int?]

    private struct State {
        var instruction: Int
        var position: Int
        var captures: Captures
        var marks: [Int]
    }

    /// Every match in turn, as `re.sub` finds them: an empty one may touch the one before only if
    /// that one was not empty.
    func matches(limit: Int) throws -> [Captures] {
        var matches: [Captures] = []
        var start = 0
        var mustAdvance = false
        while start <= text.count, matches.count < limit {
            guard let captures = try match(at: start, mustAdvance: mustAdvance),
                let end = captures[1]
            else {
                start += 1
                mustAdvance = false
                continue
            }
            matches.append(captures)
            mustAdvance = end == start
            start = end
        }
        return matches
    }

    private func match(at start: Int, mustAdvance: Bool) throws -> Captures? {
        var state = State(
            instruction: 0, position: start,
            captures: Captures(repeating: nil, count: 2 * pattern.groups + 2),
            marks: Array(repeating: -1, count: pattern.marks))
        state.captures[0] = start
        guard let end = try run(state, emptyAt: mustAdvance ? start : nil) else {
            return nil
        }
        var captures = end.captures
        captures[1] = end.position
        return captures
    }

    /// The state at the first `match` reached, by trying choices in order; nil if there is none.
    ///
    /// A match that is empty at `emptyAt` does not count.
    private func run(_ start: State, emptyAt: Int?) throws -> State? {
        var pending = [start]
        while var state = pending.popLast() {
            path: while true {
                try charge(1)
                switch pattern.program[state.instruction] {
                case .character(let set):
                    guard state.position < text.count, set.contains(text[state.position]) else {
                        break path
                    }
                    state.position += 1
                    state.instruction += 1
                case .fork(let first, let second):
                    try charge(1 + state.captures.count / 4)
                    guard pending.count < Self.maximumPending else {
                        throw Reason.limitExceeded(
                            "open choices of a regular expression", limit: Self.maximumPending)
                    }
                    var other = state
                    other.instruction = second
                    pending.append(other)
                    state.instruction = first
                case .jump(let target): state.instruction = target
                case .save(let slot):
                    state.captures[slot] = state.position
                    state.instruction += 1
                case .mark(let mark):
                    state.marks[mark] = state.position
                    state.instruction += 1
                case .exitIfEmpty(let mark, let end):
                    let isEmpty = state.marks[mark] == state.position
                    state.instruction = isEmpty ? end : state.instruction + 1
                case .reference(let group):
                    guard let end = match(group, state) else { break path }
                    state.position = end
                    state.instruction += 1
                case .lookahead(let isNegated, let next):
                    var inner = state
                    inner.instruction += 1
                    let found = try run(inner, emptyAt: nil)
                    guard (found == nil) == isNegated else { break path }
                    if let found { state.captures = found.captures }
                    state.instruction = next
                case .assertion(let node):
                    guard holds(node, at: state.position) else { break path }
                    state.instruction += 1
                case .match:
                    if state.position == emptyAt { break path }
                    return state
                }
            }
        }
        return nil
    }

    private func match(_ group: Int, _ state: State) -> Int? {
        guard let start = state.captures[2 * group], let end = state.captures[2 * group + 1],
            end >= start, state.position + end - start <= text.count,
            text[start..<end].elementsEqual(text[state.position..<(state.position + end - start)])
        else { return nil }
        return state.position + end - start
    }

    private func holds(_ node: PatternNode, at position: Int) -> Bool {
        switch node {
        case .textStart: return position == 0
        case .textEnd: return position == text.count
        case .textEndOrLastNewline:
            return position == text.count
                || (position == text.count - 1 && text[position] == "\n")
        case .lineStart: return position == 0 || text[position - 1] == "\n"
        case .lineEnd: return position == text.count || text[position] == "\n"
        case .wordBoundary(let isNegated):
            let before = position > 0 && text[position - 1].isPythonWord
            let after = position < text.count && text[position].isPythonWord
            // Python finds no boundary in an empty text, and not its absence either.
            return !text.isEmpty && (before != after) != isNegated
        default: return false
        }
    }
}
