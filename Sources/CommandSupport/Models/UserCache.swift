/// Where the commands keep what they can make again.
public enum UserCache {
    /// The folder of this program in the user's cache folder.
    ///
    /// Source: XDG Base Directory Specification; a relative `XDG_CACHE_HOME` counts as not set.
    ///
    /// - Parameter environment: The variables `XDG_CACHE_HOME` and `HOME`.
    /// - Returns: The folder, which need not exist; nil if neither variable names one.
    public static func folder(
        environment: [String: String] = HubCache.processEnvironment
    ) -> String? {
        let bases = [environment["XDG_CACHE_HOME"], environment["HOME"].map { $0 + "/.cache" }]
        let base = bases.compactMap { $0 }.first { $0.hasPrefix("/") }
        return base.map { $0 + "/mambatreel" }
    }
}
