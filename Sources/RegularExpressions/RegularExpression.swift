import CPCRE2
import Python

/// A regular expression with the syntax and the meaning of Python's `re`, run by PCRE2.
///
///     let number = try RegularExpression(#"-?\d+(?:\.\d+)?"#)
///     for match in try number.matches(in: answer) { … match.range … }
///
/// Work is counted, so that a pattern from outside ends in an error and not in hours.
package final class RegularExpression: @unchecked Sendable {
    // `code` is only read once it is compiled; PCRE2 lets threads share it then.
    private let code: OpaquePointer
    /// The number of groups that capture.
    package let groups: Int
    /// The numbers of those with names.
    package let names: [String: Int]

    /// What a pattern may do at most, whatever its caller counts.
    package enum Limits {
        /// Times that PCRE2 goes back, from one place of the text.
        package static let backtracks: UInt32 = 10_000_000
        /// Memory for choices that are still open, in KiB.
        package static let kibibytes: UInt32 = 65_536
        /// Groups in groups.
        package static let nesting: UInt32 = 100
    }

    /// Compiles a pattern.
    ///
    /// - Throws: ``RegularExpressionError``.
    package init(_ pattern: String) throws(RegularExpressionError) {
        let python = try PythonPattern(pattern)
        var options = PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | PCRE2_AUTO_CALLOUT
        options |= PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_BACKSLASH_C
        for (flag, option) in [
            ("i" as Unicode.Scalar, PCRE2_CASELESS), ("m", PCRE2_MULTILINE), ("s", PCRE2_DOTALL),
        ] where python.flags.contains(flag) { options |= option }
        let context = pcre2_compile_context_create_8(nil)
        defer { pcre2_compile_context_free_8(context) }
        pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF))
        pcre2_set_parens_nest_limit_8(context, Limits.nesting)
        var (status, offset) = (Int32(0), 0)
        let text = Array(python.translation.utf8)
        guard let code = pcre2_compile_8(text, text.count, options, &status, &offset, context)
        else {
            switch status {
            case PCRE2_ERROR_PARENTHESES_NEST_TOO_DEEP:
                throw .tooMuch("levels of groups", limit: Int(Limits.nesting))
            case PCRE2_ERROR_PATTERN_TOO_LARGE, PCRE2_ERROR_QUANTIFIER_TOO_BIG:
                throw .tooMuch("bytes of a compiled regular expression", limit: 65_536)
            default: throw .invalid(pattern: pattern, problem: RegularExpression.message(status))
            }
        }
        self.code = code
        groups = python.groups
        names = python.names
    }

    deinit { pcre2_code_free_8(code) }

    /// A match: where the whole is and where its groups are, in bytes of UTF-8.
    package struct Match {
        /// The ranges, that of the whole first.
        ///
        /// A group that took no part has none.
        package let groups: [Range<Int>?]

        /// Where the whole is.
        package var range: Range<Int> { groups.first.flatMap { $0 } ?? 0..<0 }
    }

    /// Every match in turn, as `re.finditer` finds them: an empty one may touch the one before only if
    /// that one was not empty.
    ///
    /// - Parameters:
    ///   - text: The text, UTF-8.
    ///   - limit: How many at most.
    ///   - charge: Is told of steps of work, some thousand at a time at most; may throw to end it.
    /// - Returns: The matches.
    /// - Throws: ``RegularExpressionError``, or what `charge` threw.
    package func matches(
        in text: String, limit: Int = .max, charge: (Int) throws -> Void = { _ in }
    ) throws -> [Match] {
        let data = pcre2_match_data_create_from_pattern_8(code, nil)
        let context = pcre2_match_context_create_8(nil)
        defer {
            pcre2_match_data_free_8(data)
            pcre2_match_context_free_8(context)
        }
        pcre2_set_match_limit_8(context, Limits.backtracks)
        pcre2_set_heap_limit_8(context, Limits.kibibytes)
        var text = text
        return try text.withUTF8 { utf8 in
            try withoutActuallyEscaping(charge) { charge in
                let meter = Meter(charge)
                defer { pcre2_set_callout_8(context, nil, nil) }
                pcre2_set_callout_8(
                    context, { Meter.count($0, $1) }, Unmanaged.passUnretained(meter).toOpaque())
                var (matches, start, mayBeEmpty) = ([Match](), 0, true)
                while matches.count < limit {
                    try charge(1 + groups / 4)
                    let options = mayBeEmpty ? 0 : PCRE2_NOTEMPTY_ATSTART
                    let status = pcre2_match_8(
                        code, utf8.baseAddress, utf8.count, start, options | PCRE2_NO_UTF_CHECK,
                        data, context)
                    if let error = meter.error { throw error }
                    if status == PCRE2_ERROR_NOMATCH { break }
                    let match = try match(status, data)
                    try charge((match.range.upperBound - start) / 16)
                    matches.append(match)
                    mayBeEmpty = !match.range.isEmpty
                    start = match.range.upperBound
                }
                return matches
            }
        }
    }

    private func match(_ status: Int32, _ data: OpaquePointer?) throws -> Match {
        switch status {
        case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT:
            throw RegularExpressionError.tooMuch(
                "steps back in a regular expression", limit: Int(Limits.backtracks))
        case PCRE2_ERROR_HEAPLIMIT, PCRE2_ERROR_NOMEMORY:
            throw RegularExpressionError.tooMuch(
                "KiB of open choices of a regular expression", limit: Int(Limits.kibibytes))
        case ..<0:
            throw RegularExpressionError.failed(RegularExpression.message(status))
        default: break
        }
        guard let ends = pcre2_get_ovector_pointer_8(data) else { return Match(groups: []) }
        return Match(
            groups: (0...groups).map { group in
                let (from, to) = (ends[2 * group], ends[2 * group + 1])
                // A group that took no part has ends of all ones.
                return from >= 0 && from <= to ? from..<to : nil
            })
    }

    private static func message(_ status: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let count = pcre2_get_error_message_8(status, &text, text.count)
        return String(decoding: text.prefix(max(0, Int(count))), as: UTF8.self)
    }
}

/// Counts the items of a pattern that PCRE2 tries and the text it passes.
private final class Meter {
    let charge: (Int) throws -> Void
    var error: (any Error)?
    private var place = 0

    init(_ charge: @escaping (Int) throws -> Void) { self.charge = charge }

    static func count(
        _ block: UnsafeMutablePointer<pcre2_callout_block_8>?, _ data: UnsafeMutableRawPointer?
    ) -> Int32 {
        guard let block, let data else { return 0 }
        let meter = Unmanaged<Meter>.fromOpaque(data).takeUnretainedValue()
        let place = Int(block.pointee.current_position)
        do {
            try meter.charge(1 + abs(place - meter.place) / 16)
            meter.place = place
            return 0
        } catch {
            meter.error = error
            return PCRE2_ERROR_CALLOUT
        }
    }
}

/// Why a regular expression was refused or stopped.
package enum RegularExpressionError: Error, Equatable {
    /// The pattern, or the replacement, is none.
    case invalid(pattern: String, problem: String)
    /// A construct of Python that is not known here.
    case unsupported(String)
    /// A limit was reached.
    case tooMuch(String, limit: Int)
    /// PCRE2 gave up for another reason.
    case failed(String)
}

extension RegularExpressionError: CustomStringConvertible {
    /// The sentence for the user.
    package var description: String {
        switch self {
        case .invalid(let pattern, let problem): "regular expression '\(pattern)': \(problem)"
        case .unsupported(let construct): "\(construct) is not supported"
        case .tooMuch(let what, let limit): "more than \(limit) \(what)"
        case .failed(let problem): "regular expression: \(problem)"
        }
    }
}
