/// The files beside a test target's sources, in its folder `Fixtures`.
public enum Fixtures {
    /// The path of a fixture.
    ///
    /// - Parameters:
    ///   - name: The file or folder, relative to `Fixtures`.
    ///   - file: The test's source file.
    /// - Returns: The path.
    public static func path(_ name: String, file: String = #filePath) -> String {
        let parts = file.split(separator: "/")
        guard let target = parts.lastIndex(where: { $0.hasSuffix("Tests") }) else { return name }
        return "/" + parts[...target].joined(separator: "/") + "/Fixtures/" + name
    }
}
