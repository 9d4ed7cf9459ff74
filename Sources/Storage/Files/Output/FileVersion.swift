import Glibc

/// Tells whether a file is still the one that was written or read: it changes when somebody writes to the
/// file, or puts another one into its place.
package struct FileVersion: Hashable {
    // The number of a file that was replaced is soon another one's, so it alone does not do.
    private let numbers: [Int]

    /// Looks a path up; `nil` if nothing is there.
    package init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        numbers = [
            Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino),
            Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
        ]
    }
}
