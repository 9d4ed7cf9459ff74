import FoundationEssentials

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

    /// Decodes a JSON fixture, without any of the code under test.
    ///
    /// - Parameters:
    ///   - type: The type of the whole value.
    ///   - name: The file, relative to `Fixtures`.
    ///   - file: The test's source file.
    /// - Returns: The value.
    /// - Throws: `DecodingError`.
    public static func decode<Value: Decodable>(
        _ type: Value.Type, from name: String, file: String = #filePath
    ) throws -> Value {
        try JSONDecoder().decode(type, from: Data(rawContents(path(name, file: file))))
    }
}
