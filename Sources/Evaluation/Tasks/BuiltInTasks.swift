/// The task files that are part of the program, so that it needs no folder beside it.
enum BuiltInTasks {
    /// The file names, sorted; those without `.yaml` are there to be included.
    static var names: [String] { files.keys.sorted() }

    /// The content of a file.
    static func file(named name: String) -> [UInt8]? { files[name] }

    private static let files = general.merging(mmlu) { first, _ in first }
}
