/// Which methods of Python's types exist here, and which are refused by name.
///
/// A name in neither list is no method in Python either, and so an undefined attribute.
enum MethodNames {
    /// The methods that can be called.
    static func known(for value: Value) -> Set<String> {
        switch value {
        case .string: string
        case .list, .tuple: sequence
        case .dictionary: dictionary
        case .float: ["is_integer"]
        default: []
        }
    }

    /// The methods and fields of Python that are refused, most because they change the object.
    static func refused(for value: Value) -> Set<String> {
        switch value {
        case .string:
            [
                "casefold", "encode", "expandtabs", "format_map", "isidentifier", "istitle",
                "maketrans", "translate",
            ]
        case .list:
            ["append", "clear", "copy", "extend", "insert", "pop", "remove", "reverse", "sort"]
        case .dictionary: ["clear", "fromkeys", "pop", "popitem", "setdefault", "update"]
        case .int, .bool:
            [
                "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator",
                "from_bytes", "imag", "numerator", "real", "to_bytes",
            ]
        case .float: ["as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "real"]
        default: []
        }
    }

    private static let sequence: Set<String> = ["count", "index"]
    private static let dictionary: Set<String> = ["copy", "get", "items", "keys", "values"]
    private static let string: Set<String> = [
        "capitalize", "center", "count", "endswith", "find", "format", "index",
        "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "islower",
        "isnumeric", "isprintable", "isspace", "isupper", "join", "ljust", "lower",
        "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex",
        "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip",
        "swapcase", "title", "upper", "zfill",
    ]
}
