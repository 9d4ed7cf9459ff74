/// Search for one string in another by bytes; in UTF-8 that finds exactly the equal scalars.
struct ByteSearch {
    private let needle: [UInt8]
    /// For each length matched so far, the length to go on with after a mismatch (Knuth, Morris and
    /// Pratt), so that no input takes quadratic time.
    private let fallback: [Int]

    /// Prepares to search for a string that is not empty.
    init(_ needle: String) {
        let bytes = Array(needle.utf8)
        var fallback = [0, 0]
        var matched = 0
        for index in bytes.indices.dropFirst() {
            while matched > 0, bytes[index] != bytes[matched] { matched = fallback[matched] }
            if bytes[index] == bytes[matched] { matched += 1 }
            fallback.append(matched)
        }
        self.needle = bytes
        self.fallback = fallback
    }

    /// Places where the string begins, from the left and without overlap, at most `limit`.
    func places(in bytes: [UInt8], limit: Int = .max) -> [Int] {
        var places: [Int] = []
        var matched = 0
        for (index, byte) in bytes.enumerated() {
            if places.count >= limit { break }
            while matched > 0, byte != needle[matched] { matched = fallback[matched] }
            if byte == needle[matched] { matched += 1 }
            if matched == needle.count {
                places.append(index + 1 - matched)
                matched = 0
            }
        }
        return places
    }
}

extension String {
    /// Python's `str.replace`; a negative count replaces everything.
    package func replacing(_ old: String, with new: String, count: Int) -> String {
        let limit = count < 0 ? Int.max : count
        if limit == 0 { return self }
        var result = String.UnicodeScalarView()
        if old.isEmpty {
            var done = 0
            for scalar in unicodeScalars {
                if done < limit {
                    result.append(contentsOf: new.unicodeScalars)
                    done += 1
                }
                result.append(scalar)
            }
            if done < limit { result.append(contentsOf: new.unicodeScalars) }
            return String(result)
        }
        let bytes = Array(utf8)
        var pieces: [UInt8] = []
        var begin = 0
        for place in ByteSearch(old).places(in: bytes, limit: limit) {
            pieces += bytes[begin..<place]
            pieces += new.utf8
            begin = place + old.utf8.count
        }
        return String(decoding: pieces + bytes[begin...], as: UTF8.self)
    }

    /// Number of places where a string occurs without overlap; between all characters if empty.
    package func occurrences(of needle: String) -> Int {
        if needle.isEmpty { return unicodeScalars.count + 1 }
        return ByteSearch(needle).places(in: Array(utf8)).count
    }

    /// Python's `in`.
    package func containsScalars(_ needle: String) -> Bool {
        needle.isEmpty || !ByteSearch(needle).places(in: Array(utf8), limit: 1).isEmpty
    }

    /// Python's `str.find` or `str.rfind`, in characters; nil if there is none.
    package func firstPlace(of needle: String, fromEnd: Bool = false) -> Int? {
        if needle.isEmpty { return fromEnd ? unicodeScalars.count : 0 }
        if fromEnd {
            let reversedText = String(scalars: unicodeScalars.reversed())
            let reversedNeedle = String(scalars: needle.unicodeScalars.reversed())
            return reversedText.firstPlace(of: reversedNeedle).map {
                unicodeScalars.count - $0 - needle.unicodeScalars.count
            }
        }
        let bytes = Array(utf8)
        guard let place = ByteSearch(needle).places(in: bytes, limit: 1).first else { return nil }
        // Bytes that do not continue a character begin one.
        return bytes[..<place].count { $0 & 0xC0 != 0x80 }
    }

    /// Python's `str.split(separator, limit)`; a negative limit is none.
    package func split(by separator: String, limit: Int) -> [String] {
        let bytes = Array(utf8)
        var pieces: [String] = []
        var begin = 0
        let search = ByteSearch(separator)
        for place in search.places(in: bytes, limit: limit < 0 ? .max : limit) {
            pieces.append(String(decoding: bytes[begin..<place], as: UTF8.self))
            begin = place + separator.utf8.count
        }
        return pieces + [String(decoding: bytes[begin...], as: UTF8.self)]
    }

    /// Python's `str.split(None, limit)`: at runs of whitespace, with none at the ends.
    package func splitAtSpaces(limit: Int) -> [String] {
        var pieces: [String] = []
        var rest = unicodeScalars[...].drop(while: \.isPythonSpace)
        while !rest.isEmpty {
            if limit >= 0, pieces.count == limit {
                // The last piece keeps its whitespace at the end.
                pieces.append(String(rest))
                break
            }
            let word = rest.prefix { !$0.isPythonSpace }
            pieces.append(String(word))
            rest = rest[word.endIndex...].drop(while: \.isPythonSpace)
        }
        return pieces
    }

    /// A split from the right: that of the reversed string, turned back.
    package func splitFromRight(by separator: String?, limit: Int) -> [String] {
        func turned(_ text: String) -> String { String(scalars: text.unicodeScalars.reversed()) }
        let text = turned(self)
        let pieces =
            separator.map { text.split(by: turned($0), limit: limit) }
            ?? text.splitAtSpaces(limit: limit)
        return pieces.reversed().map(turned)
    }
}
