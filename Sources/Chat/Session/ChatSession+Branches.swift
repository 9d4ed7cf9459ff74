import Prompting

extension ChatSession {
    /// The names of all branches, in the order in which they began.
    public var branches: [String] { named.map(\.name) }

    /// The name of the branch that goes on.
    public var currentBranch: String { named[current].name }

    /// Copies the current branch and goes on in the copy.
    ///
    /// - Parameter name: The copy's name; not empty.
    /// - Throws: ``ChatError/branchExists(name:)``.
    public func fork(_ name: String) throws {
        guard !name.isEmpty else {
            throw ChatError.setting(
                name: "branch name", found: "empty", expected: "at least one character")
        }
        guard !branches.contains(name) else { throw ChatError.branchExists(name: name) }
        named.append((name, branch))
        current = named.count - 1
    }

    /// Goes on in another branch.
    ///
    /// - Throws: ``ChatError/unknownBranch(name:known:)``.
    public func switchBranch(to name: String) throws {
        guard let place = branches.firstIndex(of: name) else {
            throw ChatError.unknownBranch(name: name, known: branches)
        }
        current = place
    }
}
