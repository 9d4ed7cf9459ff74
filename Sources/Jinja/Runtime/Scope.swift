/// The names that a part of a template has set, and the scope around it.
///
/// Macros keep the scope they were defined in, and see what is set there later.
final class Scope {
    private let parent: Scope?
    private var symbols: [Int] = []
    private var values: [Value] = []

    init(in parent: Scope?) { self.parent = parent }

    func value(_ symbol: Int) -> Value? {
        var scope: Scope? = self
        while let current = scope {
            if let place = current.symbols.firstIndex(of: symbol) { return current.values[place] }
            scope = current.parent
        }
        return nil
    }

    func set(_ symbol: Int, _ value: Value) {
        if let place = symbols.firstIndex(of: symbol) {
            values[place] = value
        } else {
            symbols.append(symbol)
            values.append(value)
        }
    }
}
