import Glibc

extension FolderTree {
    /// Removes what processes that were killed left under hidden names of ``FilePath/neighbour(of:attempt:)``.
    ///
    /// What cannot be removed stays.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - isMeant: Whether a file goes, given the name that it was to get and whether the process that made
    ///     it is known to have ended.
    package static func removeLeftovers(
        in folder: String, where isMeant: (_ base: String, _ isDead: Bool) -> Bool
    ) {
        for name in (try? names(in: folder)) ?? [] {
            guard let (base, process) = parts(ofLeftover: name) else { continue }
            let isDead = kill(process, 0) != 0 && errno == ESRCH
            if isMeant(base, isDead) { try? remove(FilePath.join(folder, name)) }
        }
    }

    /// Whether a name is one of a file in the making.
    static func isLeftover(_ name: String) -> Bool { parts(ofLeftover: name) != nil }

    /// The final name and the process of `.NAME.PROCESS.ATTEMPT.tmp`.
    private static func parts(ofLeftover name: String) -> (base: String, process: pid_t)? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 5, parts[0].isEmpty, parts.last == "tmp",
            Int(parts[parts.count - 2]) != nil, let process = pid_t(parts[parts.count - 3]),
            process > 0
        else { return nil }
        return (parts[1..<parts.count - 3].joined(separator: "."), process)
    }
}
