/// Why something is not written.
public enum OutputError: Error, Equatable {
    /// It is what an option names as something to read.
    case isInput(output: String, option: String)
    /// It lies in a folder that is read.
    case inside(output: String, input: String, option: String)
    /// It is a folder with something in it that is read.
    case around(output: String, input: String, option: String)
    /// It exists.
    case exists(output: String, remedy: String)
    /// It is a folder that holds something of somebody else's.
    case foreign(folder: String, name: String)
    /// It is a folder that another process writes into.
    case inUse(folder: String, by: String)
}

extension OutputError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .isInput(let output, let option):
            "\(quotedPath(output)): is what \(option) names, expected an output of its own; "
                + "choose another name"
        case .inside(let output, let input, let option):
            "\(quotedPath(output)): lies in \(quoted(input)), which \(option) names, "
                + "expected an output of its own; choose another name"
        case .around(let output, let input, let option):
            "\(quotedPath(output)): holds \(quoted(input)), which \(option) names, "
                + "expected an output of its own; choose another name"
        case .exists(let output, let remedy):
            "\(quotedPath(output)): exists already; \(remedy)"
        case .foreign(let folder, let name):
            "\(quotedPath(folder)): holds \(quoted(name)), which is none of the files written here; "
                + "choose another folder or move it away"
        case .inUse(let folder, let holder):
            "\(quotedPath(folder)): is in use by \(oneLine(holder)); "
                + "wait until it is done or choose another folder"
        }
    }
}
