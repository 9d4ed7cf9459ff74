import Storage

/// A run's settings as the YAML file that repeats it.
public enum ConfigurationText {
    /// One key a line; values as in JSON, which YAML contains.
    public static func yaml(_ settings: JSONObject) -> String {
        let writer = JSONWriter(escapesNonASCII: false)
        let lines = settings.members.map { "\($0.key): \(writer.string($0.value))" }
        return (["# mambatreel \(CommandLineProgram.version)"] + lines).joined(separator: "\n")
            + "\n"
    }
}
