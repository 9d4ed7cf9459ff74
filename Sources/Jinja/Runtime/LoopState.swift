/// Where a `for` statement stands; the object `loop` reads it.
final class LoopState {
    private let items: [Value]
    private var cursor = 0
    private let condition: ((Value) throws -> Bool)?
    /// Items that passed the condition before their turn, because the template looked ahead.
    private var ahead: [Value] = []
    /// Place of the present item, from 0.
    private(set) var index = -1
    private(set) var previous: Value?
    private(set) var current = Value.none
    /// The arguments of the last call of `changed`.
    var lastChecked: [Value]?

    /// Creates the state before the first item; `condition` picks the items.
    init(_ items: [Value], condition: ((Value) throws -> Bool)?) {
        self.items = items
        self.condition = condition
    }

    var hasRun: Bool { index >= 0 }

    /// Goes to the next item; false at the end.
    func advance() throws -> Bool {
        guard let item = ahead.isEmpty ? try pull() : ahead.removeFirst() else { return false }
        previous = hasRun ? current : nil
        current = item
        index += 1
        return true
    }

    /// The item after the present one.
    func next() throws -> Value? {
        if ahead.isEmpty, let item = try pull() { ahead.append(item) }
        return ahead.first
    }

    /// Number of items in all.
    func length() throws -> Int {
        if condition == nil { return items.count }
        while let item = try pull() { ahead.append(item) }
        return index + 1 + ahead.count
    }

    private func pull() throws -> Value? {
        while cursor < items.count {
            cursor += 1
            let item = items[cursor - 1]
            if try condition?(item) ?? true { return item }
        }
        return nil
    }
}
