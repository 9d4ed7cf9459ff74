/// A result that an engine may still be computing; whoever reads it waits.
public final class Deferred<Value> {
    private var known: Value?
    private let wait: () -> Value

    /// A result that is there.
    public init(_ value: Value) { (known, wait) = (value, { value }) }

    /// A result that is waited for at the first reading.
    public init(wait: @escaping () -> Value) { self.wait = wait }

    /// The result.
    public var value: Value {
        if let known { return known }
        let value = wait()
        known = value
        return value
    }
}
