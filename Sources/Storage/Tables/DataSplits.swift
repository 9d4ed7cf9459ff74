/// The files of a data set's splits, as people and the Hugging Face hub lay them out in a folder.
///
///     train.jsonl                        one file
///     train-00000-of-00002.parquet       parts, in their order; a hash may follow
///     train/0000.parquet                 files in a folder of the split's name
///
/// The last two may also lie in `data`.
package enum DataSplits {
    /// What files of records end in.
    package static let endings =
        [".jsonl", ".json", ".csv", ".tsv"].flatMap { [$0, $0 + ".zst", $0 + ".gz"] } + [".parquet"]

    /// Finds the files of a split.
    ///
    /// - Parameters:
    ///   - split: Its name.
    ///   - folder: The folder of the data set.
    /// - Returns: The files in their order; none if there are none.
    /// - Throws: ``DataSplitError`` if there are several files or sets of parts, or parts are missing.
    package static func files(of split: String, in folder: String) throws -> [String] {
        var names: [String] = []
        for inner in ["", "data/", split + "/", "data/\(split)/"] {
            let place = FilePath.join(folder, inner)
            guard FilePath.isFolder(place) else { continue }
            names += try FolderTree.names(in: place).filter(isData).map { inner + $0 }
        }
        return try choose(split, among: names, place: folder).map { FilePath.join(folder, $0) }
    }

    /// Chooses the files of a split.
    ///
    /// - Parameters:
    ///   - split: Its name.
    ///   - names: The files of records of a data set, as paths below its folder.
    ///   - place: What messages call that.
    /// - Returns: The files in their order; none if there are none.
    /// - Throws: As ``files(of:in:)``.
    package static func choose(
        _ split: String, among names: [String], place: String
    ) throws -> [String] {
        var found: [[String]] = []
        for inner in ["", "data/"] {
            let here = names.filter { $0.hasPrefix(inner) }.map { $0.dropFirst(inner.count) }
            let files = here.filter { !$0.contains("/") }.map(String.init).sorted()
            found += endings.map { split + $0 }.filter(files.contains).map { [inner + $0] }
            found += try parts(of: split, among: files, in: place).map { $0.map { inner + $0 } }
            let own = here.filter { $0.hasPrefix(split + "/") && $0.count { $0 == "/" } == 1 }
            if !own.isEmpty { found.append(own.map { inner + $0 }.sorted()) }
        }
        guard found.count <= 1 else {
            throw DataSplitError.ambiguous(folder: place, names: found.map { $0[0] })
        }
        return found.first ?? []
    }

    /// Whether a name is that of a file of records.
    package static func isData(_ name: String) -> Bool {
        !FilePath.name(of: name).hasPrefix(".") && endings.contains { name.hasSuffix($0) }
    }

    /// The sets of parts of a split, each in its order.
    private static func parts(
        of split: String, among names: [String], in folder: String
    ) throws -> [[String]] {
        var sets: [String: [Int: String]] = [:]
        for name in names {
            guard let part = Part(name, of: split) else { continue }
            sets["\(part.count)\(part.ending)", default: [:]][part.number] = name
        }
        return try sets.values.map { set in
            let count = set.values.lazy.compactMap { Part($0, of: split)?.count }.first ?? 0
            return try (0..<count).map { number in
                guard let name = set[number] else {
                    throw DataSplitError.missingPart(
                        folder: folder, split: split, number: number, count: count)
                }
                return name
            }
        }
    }

    /// A name such as `train-00000-of-00002-3f2504e04f8911d3.parquet`.
    private struct Part {
        let number: Int
        let count: Int
        let ending: String

        init?(_ name: String, of split: String) {
            guard name.hasPrefix(split + "-"),
                let ending = DataSplits.endings.first(where: name.hasSuffix)
            else { return nil }
            let words = name.dropFirst(split.count + 1).dropLast(ending.count).split(
                separator: "-", omittingEmptySubsequences: false)
            guard (3...4).contains(words.count), words[1] == "of",
                let number = Int(words[0]), let count = Int(words[2]),
                (1...100_000).contains(count), (0..<count).contains(number)
            else { return nil }
            (self.number, self.count, self.ending) = (number, count, ending)
        }
    }
}

/// Why it is not certain which files a split has.
package enum DataSplitError: Error, Equatable {
    /// There are several files, or sets of parts.
    case ambiguous(folder: String, names: [String])
    /// A part is not there.
    case missingPart(folder: String, split: String, number: Int, count: Int)
}

extension DataSplitError: CustomStringConvertible {
    /// The sentence for the user.
    package var description: String {
        switch self {
        case .ambiguous(let folder, let names):
            "\(quotedPath(folder)): holds \(names.map(quoted).joined(separator: ", ")), expected one "
                + "of them; remove or rename the others"
        case .missingPart(let folder, let split, let number, let count):
            "\(quotedPath(folder)): part \(number) of the \(count) parts of \(quoted(split)) is "
                + "missing, expected all; is the download complete?"
        }
    }
}
