import MambaLM
import Prompting

/// The adapters of a session's model; a session switches them through it without knowing their format.
public protocol AdapterControl: AnyObject {
    /// The adapters that were loaded, in that order.
    var names: [String] { get }

    /// The adapter that acts; `nil` if none does.
    var active: String? { get }

    /// Lets the model act without an adapter; its topology stays.
    func turnOff()

    /// Lets one of ``names`` act, and no other, with the topology that it was trained with.
    ///
    /// - Returns: The template that it was trained with; `nil` if that is not known or another was asked
    ///   for.
    /// - Throws: ``ChatError/unknownAdapter(name:known:)``.
    func turnOn(_ name: String) throws -> PromptTemplate?

    /// Reads an adapter, which then acts, with the topology that it was trained with.
    ///
    /// - Parameter folder: Its folder; afterwards one of ``names``.
    /// - Returns: As of ``turnOn(_:)``.
    /// - Throws: What is wrong with its files; then everything is as before.
    func load(_ folder: String) throws -> PromptTemplate?
}
