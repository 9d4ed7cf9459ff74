import Glibc
import Python
import Storage

/// BLEU and chrF: counts of n-grams, which add up over documents.
///
/// Source: sacrebleu 2.6.0, `metrics/bleu.py` with its tokenizer `13a` and exponential smoothing, and
/// `metrics/chrf.py`, with the defaults that lm-evaluation-harness leaves as they are.
extension Aggregation {
    /// What each document counts.
    func corpusCounts(_ values: [MetricValue]) throws(Failure) -> [[Double]] {
        var counts: [[Double]] = []
        for value in values {
            guard let pair = value.pair,
                let answer = pair.1.stringValue ?? pair.1.arrayValue?.first?.stringValue
            else { throw .kind(expected: "a target and an answer a document") }
            let targets = (pair.0.arrayValue ?? [pair.0]).compactMap(\.stringValue)
            guard !targets.isEmpty else { throw .kind(expected: "targets that are texts") }
            counts.append(
                self == .bleu
                    ? BLEU.counts(answer, targets)
                    : ChrF(words: self == .chrFPlus ? 2 : 0).counts(answer, targets))
        }
        return counts
    }

    /// The score of all documents' counts together.
    func corpusScore(_ counts: [Double]) -> Double {
        self == .bleu
            ? BLEU.score(counts) : ChrF(words: self == .chrFPlus ? 2 : 0).score(counts)
    }
}

extension [Double] {
    /// Sums, element by element; an empty array counts as zeros.
    func adding(_ other: [Double]) -> [Double] {
        isEmpty ? other : zip(self, other).map { $0 + $1 }
    }
}

private func grams(_ items: [String], _ length: Int) -> [String: Int] {
    var counts: [String: Int] = [:]
    guard items.count >= length else { return counts }
    for start in 0...(items.count - length) {
        counts[items[start..<start + length].joined(separator: "\u{0}"), default: 0] += 1
    }
    return counts
}

private enum BLEU {
    private static let orders = 4

    /// Length of the answer and of the nearest target, then hits and n-grams of each order.
    static func counts(_ answer: String, _ targets: [String]) -> [Double] {
        let words = tokens(answer)
        let others = targets.map(tokens)
        var nearest = (difference: -1, length: 0)
        for other in others {
            let difference = abs(words.count - other.count)
            if nearest.difference < 0 || difference < nearest.difference {
                nearest = (difference, other.count)
            } else if difference == nearest.difference, other.count < nearest.length {
                nearest.length = other.count
            }
        }
        var (hits, totals): ([Double], [Double]) = ([], [])
        for order in 1...orders {
            let own = grams(words, order)
            let known = others.map { grams($0, order) }
            var count = 0
            for (gram, times) in own {
                count += min(times, known.map { $0[gram] ?? 0 }.max() ?? 0)
            }
            hits.append(Double(count))
            totals.append(Double(max(0, words.count - order + 1)))
        }
        return [Double(words.count), Double(nearest.length)] + hits + totals
    }

    static func score(_ counts: [Double]) -> Double {
        guard counts.count == 2 + 2 * orders else { return 0 }
        let (length, wanted) = (counts[0], counts[1])
        let (hits, totals) = (counts[2..<2 + orders], counts[(2 + orders)...])
        guard hits.contains(where: { $0 > 0 }) else { return 0 }
        var precisions = [Double](repeating: 0, count: orders)
        var smoothing = 1.0
        for (order, (hit, total)) in zip(hits, totals).enumerated() {
            if total == 0 { break }
            if hit == 0 {
                smoothing *= 2
                precisions[order] = 100 / (smoothing * total)
            } else {
                precisions[order] = 100 * hit / total
            }
        }
        var penalty = 1.0
        if length < wanted { penalty = length > 0 ? exp(1 - wanted / length) : 0 }
        let logarithms = precisions.map { $0 == 0 ? -9_999_999_999 : log($0) }
        return penalty * exp(logarithms.reduce(0, +) / Double(orders))
    }

    /// Words and marks, as the scripts of the WMT tell them apart.
    private static func tokens(_ line: String) -> [String] {
        var text = line.replacing("<skipped>", with: "", count: -1)
            .replacing("-\n", with: "", count: -1).replacing("\n", with: " ", count: -1)
        for (name, mark) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
            text = text.replacing(name, with: mark, count: -1)
        }
        let scalars = Array(" \(text) ".unicodeScalars)
        var spaced: [Unicode.Scalar] = []
        for scalar in scalars {
            let isMark =
                switch scalar.value {
                case 0x21...0x26, 0x28...0x2B, 0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
                default: false
                }
            spaced += isMark ? [" ", scalar, " "] : [scalar]
        }
        func isDigit(_ scalar: Unicode.Scalar) -> Bool { "0"..."9" ~= scalar }
        // Full stops and commas that are not within a number; hyphens after digits.
        spaced = replacing(spaced) { before, mark in
            !isDigit(before) && (mark == "." || mark == ",") ? [before, " ", mark, " "] : nil
        }
        spaced = replacing(spaced) { mark, after in
            !isDigit(after) && (mark == "." || mark == ",") ? [" ", mark, " ", after] : nil
        }
        spaced = replacing(spaced) { before, mark in
            isDigit(before) && mark == "-" ? [before, " ", mark, " "] : nil
        }
        return spaced.split(whereSeparator: \.isPythonSpace).map { String(scalars: $0) }
    }

    /// Python's `re.sub` of two characters, from left to right.
    private static func replacing(
        _ scalars: [Unicode.Scalar],
        _ replacement: (Unicode.Scalar, Unicode.Scalar) -> [Unicode.Scalar]?
    ) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var place = 0
        while place < scalars.count {
            if place + 1 < scalars.count,
                let pair = replacement(scalars[place], scalars[place + 1])
            {
                result += pair
                place += 2
            } else {
                result.append(scalars[place])
                place += 1
            }
        }
        return result
    }
}

private struct ChrF {
    let words: Int
    private static let characters = 6
    private static let beta = 2.0

    /// For each order: n-grams of the answer, of the target, and hits; of the best target.
    func counts(_ answer: String, _ targets: [String]) -> [Double] {
        let own = allGrams(answer)
        var best: (score: Double, counts: [Double]) = (-1, [])
        for target in targets {
            var counts: [Double] = []
            for (mine, other) in zip(own, allGrams(target)) {
                var hits = 0
                for (gram, times) in mine { hits += min(times, other[gram] ?? 0) }
                // Without n-grams of the target, those of the answer do not count.
                counts += [
                    other.isEmpty ? 0 : Double(mine.values.reduce(0, +)),
                    Double(other.values.reduce(0, +)), Double(hits),
                ]
            }
            let score = score(counts)
            if score > best.score { best = (score, counts) }
        }
        return best.counts
    }

    func score(_ counts: [Double]) -> Double {
        let factor = Self.beta * Self.beta
        var (precision, recall, orders) = (0.0, 0.0, 0)
        for start in stride(from: 0, to: counts.count, by: 3) {
            let (mine, other, hits) = (counts[start], counts[start + 1], counts[start + 2])
            if mine > 0, other > 0 {
                precision += hits / mine
                recall += hits / other
                orders += 1
            }
        }
        guard orders > 0 else { return 0 }
        precision /= Double(orders)
        recall /= Double(orders)
        guard precision + recall > 0 else { return 0 }
        return 100 * (1 + factor) * precision * recall / (factor * precision + recall)
    }

    private func allGrams(_ text: String) -> [[String: Int]] {
        let pieces = text.unicodeScalars.split(whereSeparator: \.isPythonSpace)
        let characters = pieces.joined().map { String($0) }
        var result = (1...Self.characters).map { grams(characters, $0) }
        guard words > 0 else { return result }
        let marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".unicodeScalars
        let separated = pieces.flatMap { piece -> [String] in
            guard piece.count > 1, let first = piece.first, let last = piece.last else {
                return [String(piece)]
            }
            if marks.contains(last) { return [String(piece.dropLast()), String(last)] }
            if marks.contains(first) { return [String(first), String(piece.dropFirst())] }
            return [String(piece)]
        }
        result += (1...words).map { grams(separated, $0) }
        return result
    }
}
