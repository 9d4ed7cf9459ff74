/// A compiled regular expression: a program for a backtracking machine that uses no recursion but for
/// lookahead, and counts its steps.
struct Pattern: Sendable {
    let program: [Instruction]
    let groups: Int
    let names: [String: Int]
    /// Number of places where the machine notes the start of a round of a repetition.
    let marks: Int

    enum Instruction: Sendable {
        case character(PatternNode.CharacterSet)
        /// Goes on at the first place, and at the second if that fails.
        case fork(Int, Int)
        case jump(Int)
        case save(Int)
        case mark(Int)
        /// Goes to the place if the round that was marked matched nothing.
        case exitIfEmpty(mark: Int, Int)
        case reference(Int)
        /// Runs the program up to its end as a lookahead, which begins at the next instruction.
        case lookahead(isNegated: Bool, next: Int)
        case assertion(PatternNode)
        case match
    }

    /// The greatest number of instructions; repetitions with bounds are written out.
    static let maximumSize = 20_000

    init(_ pattern: String) throws {
        var parser = PatternParser(pattern)
        let node = try parser.parse()
        var builder = Builder()
        try builder.add(node)
        builder.program.append(.match)
        program = builder.program
        marks = builder.marks
        groups = parser.groups
        names = parser.names
    }

    private struct Builder {
        var program: [Instruction] = []
        var marks = 0

        mutating func add(_ node: PatternNode) throws {
            guard program.count <= Pattern.maximumSize else {
                throw Reason.limitExceeded(
                    "instructions of a regular expression", limit: Pattern.maximumSize)
            }
            switch node {
            case .character(let set): program.append(.character(set))
            case .sequence(let nodes): for node in nodes { try add(node) }
            case .alternatives(let branches): try addAlternatives(branches)
            case .group(let inner, let number):
                program.append(.save(2 * number))
                try add(inner)
                program.append(.save(2 * number + 1))
            case .repetition(let inner, let least, let most, let isGreedy):
                for _ in 0..<least { try add(inner) }
                if let most {
                    try addOptional(inner, times: most - least, isGreedy)
                } else {
                    try addLoop(inner, isGreedy)
                }
            case .reference(let number): program.append(.reference(number))
            case .lookahead(let inner, let isNegated):
                let start = program.count
                program.append(.match)
                try add(inner)
                program.append(.match)
                program[start] = .lookahead(isNegated: isNegated, next: program.count)
            default: program.append(.assertion(node))
            }
        }

        private mutating func addAlternatives(_ branches: [PatternNode]) throws {
            var exits: [Int] = []
            for branch in branches.dropLast() {
                let fork = program.count
                program.append(.match)
                try add(branch)
                exits.append(program.count)
                program.append(.match)
                program[fork] = .fork(fork + 1, program.count)
            }
            if let last = branches.last { try add(last) }
            for exit in exits { program[exit] = .jump(program.count) }
        }

        private mutating func addOptional(
            _ node: PatternNode, times: Int, _ isGreedy: Bool
        ) throws {
            var forks: [Int] = []
            for _ in 0..<times {
                forks.append(program.count)
                program.append(.match)
                try add(node)
            }
            let end = program.count
            for fork in forks {
                program[fork] = isGreedy ? .fork(fork + 1, end) : .fork(end, fork + 1)
            }
        }

        private mutating func addLoop(_ node: PatternNode, _ isGreedy: Bool) throws {
            let start = program.count
            let mark = marks
            marks += 1
            program.append(.match)
            program.append(.mark(mark))
            try add(node)
            let end = program.count + 2
            program.append(.exitIfEmpty(mark: mark, end))
            program.append(.jump(start))
            program[start] = isGreedy ? .fork(start + 1, end) : .fork(end, start + 1)
        }
    }
}
