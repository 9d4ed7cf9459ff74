import Prompting

extension ChatSession {
    /// The names of all branches, in the order in which they began.
    public var branches: [String] { [ChatSession.mainBranch] }

    /// The name of the branch that goes on.
    public var currentBranch: String { ChatSession.mainBranch }

    /// Copies the current branch and goes on in the copy.
    ///
    /// - Parameter name: The copy's name; not empty.
    /// - Throws: ``ChatError/branchExists(name:)``.
    public func fork(_ name: String) throws {}

    /// Goes on in another branch.
    ///
    /// - Throws: ``ChatError/unknownBranch(name:known:)``.
    public func switchBranch(to name: String) throws {}
}
