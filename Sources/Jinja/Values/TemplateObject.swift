/// An object that only a running template makes; it means nothing outside of that run.
public struct TemplateObject: Sendable {
    let kind: Kind

    /// What an object is.
    ///
    /// Numbers are places in the tables of the running interpreter, which hold
    /// what can change, so that values themselves never do.
    indirect enum Kind: Sendable, Equatable {
        case namespace(Int)
        case macro(Int)
        case loop(Int)
        case generator(Int)
        case range(PythonRange)
        case view(ViewKind, [Value])
        case method(receiver: Value, name: String)
        case builtin(Builtin)
        /// Text that a filter marked as safe; only to be printed, for joining it would escape.
        case markup(String)
    }

    /// Which view of a dictionary.
    enum ViewKind: String, Sendable {
        case keys = "dict_keys"
        case values = "dict_values"
        case items = "dict_items"
    }
}

extension TemplateObject.Kind {
    var typeName: String {
        switch self {
        case .namespace: "a namespace"
        case .macro: "a macro"
        case .loop: "the loop object"
        case .generator: "a generator"
        case .range: "a range"
        case .view: "a view of a dictionary"
        case .method(_, let name): "the method '\(name)'"
        case .builtin(let builtin): "the function '\(builtin.rawValue)'"
        case .markup: "text marked as safe"
        }
    }
}

/// The functions that every template can call.
enum Builtin: String, Sendable, CaseIterable {
    case range
    case dict
    case namespace
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
}

/// Python's `range`.
struct PythonRange: Sendable, Equatable {
    let start: Int
    let stop: Int
    let step: Int

    /// Number of items.
    let count: Int

    init(start: Int, stop: Int, step: Int) throws {
        guard step != 0 else { throw Reason.invalid(operation: "range", problem: "step is 0") }
        self.start = start
        self.stop = stop
        self.step = step
        guard step > 0 ? start < stop : start > stop else {
            count = 0
            return
        }
        let (distance, overflow) =
            step > 0
            ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
        guard !overflow, step != .min else {
            throw Reason.invalid(operation: "range", problem: "outside of 64 bits")
        }
        count = (distance - 1) / abs(step) + 1
    }

    subscript(index: Int) -> Int { start + index * step }
}
