import Storage

/// What can be wrong with a YAML file.
public enum YAMLError: Error, Equatable {
    /// The text is not YAML, or holds what is not understood here.
    case invalid(file: String, line: Int, problem: String)
    /// A file, or what it stands for, is larger than a limit.
    case limit(file: String, line: Int, what: String, limit: Int)

    /// Where it was noticed, from 1.
    public var line: Int {
        switch self {
        case .invalid(_, let line, _), .limit(_, let line, _, _): line
        }
    }

    /// What is wrong, without the place.
    public var problem: String {
        switch self {
        case .invalid(_, _, let problem): problem
        case .limit(_, _, let what, let limit): "\(what) more than \(limit), the limit"
        }
    }
}

extension YAMLError: CustomStringConvertible {
    /// One line that names file and line.
    public var description: String {
        switch self {
        case .invalid(let file, let line, _), .limit(let file, let line, _, _):
            "\(quotedPath(file)):\(line): \(problem)"
        }
    }
}
