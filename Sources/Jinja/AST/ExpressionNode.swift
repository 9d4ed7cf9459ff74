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
