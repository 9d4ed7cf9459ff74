/// Lets text through up to the first of some stop strings.
///
/// What might be the beginning of a stop string is held back until it is certain that it is not.
struct StopStringScanner {
    private let stops: [[UInt8]]
    /// Held back; may begin a stop string.
    private var held: [UInt8] = []

    /// Prepares to look for texts, none of them empty.
    init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) } }

    /// Takes the next piece of a text.
    ///
    /// - Parameter piece: Whole characters.
    /// - Returns: The text that is now certain to be no part of a stop string; and, once one came up, its
    ///   place in the list: the first to begin, and of those the first in the list.
    mutating func push(_ piece: String) -> (text: String, stop: Int?) {
        held += piece.utf8
        for start in held.indices {
            guard let stop = stops.firstIndex(where: { held[start...].starts(with: $0) }) else {
                continue
            }
            return (take(start), stop)
        }
        let certain = held.indices.first { start in
            stops.contains { $0.starts(with: held[start...]) }
        }
        return (take(certain ?? held.count), nil)
    }

    /// Ends the text: nothing that was held back became a stop string.
    mutating func finish() -> String { take(held.count) }

    /// A stop string begins with a whole character, so no cut before one, or before a part of one, divides
    /// a character.
    private mutating func take(_ count: Int) -> String {
        defer { held.removeFirst(count) }
        return String(decoding: held[..<count], as: UTF8.self)
    }
}
