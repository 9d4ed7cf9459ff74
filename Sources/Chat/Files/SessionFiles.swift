import Storage

/// The files of a conversation, which may be written again without being asked.
struct SessionFiles {
    /// Where the session was saved to, or loaded from, last; `nil` if it has no file.
    private(set) var session: String?
    /// A hash of what is saved there.
    private(set) var savedHash: UInt64?
    private var saved: Set<FileVersion> = []
    private var exported: Set<FileVersion> = []

    /// Whether a path leads to a session that this conversation was saved to, or loaded from.
    func ownsSession(_ path: String) -> Bool {
        FileVersion(path).map(saved.contains) ?? false
    }

    /// Whether a path leads to a file that this conversation was exported to.
    func ownsExport(_ path: String) -> Bool {
        FileVersion(path).map(exported.contains) ?? false
    }

    /// Notes that a session was saved.
    mutating func noteSaved(_ path: String, _ saved: SavedSession) {
        if let version = FileVersion(path) { self.saved.insert(version) }
        (session, savedHash) = (path, XXH64.hash(saved.text))
    }

    /// Notes that another conversation was loaded.
    mutating func noteLoaded(_ path: String, _ saved: SavedSession) {
        self = SessionFiles()
        noteSaved(path, saved)
    }

    /// Notes that the conversation was exported.
    mutating func noteExported(_ path: String) {
        if let version = FileVersion(path) { exported.insert(version) }
    }
}
