/// A statement as parsed.
indirect enum StatementNode: Sendable {
    case text(String)
    case print(ExpressionNode, line: Int)
    case conditional(
        [(test: ExpressionNode, body: [StatementNode], line: Int)],
        otherwise: [StatementNode])
    case loop(LoopNode)
    case assign(TargetNode, ExpressionNode, line: Int)
    /// A block whose output goes through the filters and is stored, or is printed without a target.
    case capture(TargetNode?, filters: ExpressionNode?, body: [StatementNode], line: Int)
    case macro(MacroNode)
    case with([(TargetNode, ExpressionNode)], body: [StatementNode], line: Int)
    /// A block that marks what the assistant wrote.
    case generation(body: [StatementNode], line: Int)
    case exitLoop
    case continueLoop
}

/// A `for` statement.
struct LoopNode: Sendable {
    let target: TargetNode
    let items: ExpressionNode
    let condition: ExpressionNode?
    let body: [StatementNode]
    let otherwise: [StatementNode]
    let line: Int
}

/// A macro's definition.
struct MacroNode: Sendable {
    let name: String
    let symbol: Int
    let parameters: [Parameter]
    let body: [StatementNode]
    /// The symbol of `varargs` if the body reads it.
    let varargs: Int?
    /// The symbol of `kwargs` if the body reads it.
    let kwargs: Int?
    let line: Int

    struct Parameter: Sendable {
        let name: String
        let symbol: Int
        let fallback: ExpressionNode?
    }
}

/// What an assignment stores to.
indirect enum TargetNode: Sendable {
    case name(Int)
    case tuple([TargetNode])
    case attribute(namespace: String, symbol: Int, name: String)
}
