import ArgumentParser
import Storage

/// Flags kept in a file; shared by all commands, and read before they are parsed.
public struct ConfigurationOption: ParsableArguments {
    /// What is left of it when no file of flags was named.
    @Option(help: "A YAML file whose keys are these flags; those given here win.")
    var config: String?

    /// Creates the option, not given.
    public init() {}

    /// Refuses what is no file of flags.
    public func validate() throws {
        if let config {
            throw ValidationError("--config is \(quoted(config)), expected a .yaml or .yml file")
        }
    }
}
