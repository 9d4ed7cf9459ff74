/// What a YAML file may be at most; a file from outside cannot exceed it.
///
/// Few bytes can stand for a huge value by aliases, so values are counted as they are read.
public struct YAMLLimits: Sendable {
    /// The size of a file in bytes.
    public var bytes = 4 << 20
    /// Values that the file stands for, those of aliases counted each time.
    public var values = 200_000
    /// Nesting of lists and mappings, aliases followed.
    public var depth = 100

    /// Creates the default limits.
    public init() {}
}
