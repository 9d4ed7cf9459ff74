import Glibc

/// Where the commands keep what they can make again.
public enum UserCache {
    /// The folder of this program in the user's cache folder.
    ///
    /// Source: XDG Base Directory Specification; a relative `XDG_CACHE_HOME` counts as not set.
    ///
    /// - Parameter variable: The value of a variable of the environment, nil if it is not set.
    /// - Returns: The folder, which need not exist; nil if neither variable names one.
    public static func folder(variable: (String) -> String? = processVariable) -> String? {
        let bases = [variable("XDG_CACHE_HOME"), variable("HOME").map { $0 + "/.cache" }]
        let base = bases.compactMap { $0 }.first { $0.hasPrefix("/") }
        return base.map { $0 + "/mambatreel" }
    }

    /// A variable of this process.
    public static func processVariable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
