import Glibc

/// A reader of files from outside, and how it is given an input.
struct FuzzTarget: Sendable {
    /// Its name, that of its folder of seeds too.
    let name: String
    /// Reads the input; every error is an answer, only ends of the program are findings.
    let read: @Sendable ([UInt8]) throws -> Void

    /// All targets.
    static let all = storage + tokenizers + models + texts

    /// The one that `MTL_FUZZ_TARGET` names.
    static func chosen() -> FuzzTarget {
        let name = getenv("MTL_FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = all.first(where: { $0.name == name }) else {
            let names = all.map(\.name).joined(separator: ", ")
            complain("MTL_FUZZ_TARGET is '\(name)', expected one of \(names)")
            exit(64)
        }
        return target
    }
}

/// Read once, at the first input.
private let target = FuzzTarget.chosen()

/// Gives one input to the chosen target.
@_cdecl("mtl_fuzz_one_input")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target.read(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        // The sentence of an error is made of the input as well.
        precondition(!"\(error)".isEmpty, "an error of \(target.name) says nothing")
    }
    return 0
}
