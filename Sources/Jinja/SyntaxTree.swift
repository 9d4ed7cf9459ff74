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

/// An expression as parsed.
indirect enum ExpressionNode: Sendable {
    case constant(Value)
    case name(String, symbol: Int)
    case list([ExpressionNode])
    case tuple([ExpressionNode])
    case dictionary([(key: ExpressionNode, value: ExpressionNode)])
    case attribute(ExpressionNode, name: String, line: Int)
    case item(ExpressionNode, key: ExpressionNode, line: Int)
    case slice(ExpressionNode, SliceNode, line: Int)
    case call(ExpressionNode, ArgumentNodes, line: Int)
    /// A filter; without an operand in a filter block, which supplies its text.
    case filter(ExpressionNode?, Filter, ArgumentNodes, line: Int)
    case test(ExpressionNode, Test, ArgumentNodes, line: Int)
    case not(ExpressionNode)
    case and(ExpressionNode, ExpressionNode)
    case or(ExpressionNode, ExpressionNode)
    case negative(ExpressionNode, line: Int)
    case positive(ExpressionNode, line: Int)
    case binary(ArithmeticOperator, ExpressionNode, ExpressionNode, line: Int)
    case comparison(ExpressionNode, [(ComparisonOperator, ExpressionNode)], line: Int)
    case concatenation([ExpressionNode])
    case conditional(
        test: ExpressionNode, then: ExpressionNode, otherwise: ExpressionNode?, line: Int)
}

/// The bounds of a slice; nil where left out.
struct SliceNode: Sendable {
    let start: ExpressionNode?
    let stop: ExpressionNode?
    let step: ExpressionNode?
}

/// The arguments of a call, as parsed.
struct ArgumentNodes: Sendable {
    var positional: [ExpressionNode] = []
    var named: [(name: String, value: ExpressionNode)] = []
    /// What stands behind `*`.
    var spread: ExpressionNode?
    /// What stands behind `**`.
    var namedSpread: ExpressionNode?

    var isEmpty: Bool {
        positional.isEmpty && named.isEmpty && spread == nil && namedSpread == nil
    }
}

/// The operators of arithmetic.
enum ArithmeticOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
}

/// The operators of comparison.
enum ComparisonOperator: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case contained = "in"
    case notContained = "not in"
}
