import Storage
import Testing

@testable import Evaluation

@Suite("Rolling windows")
struct RollingWindowsTests {
    @Test("windows are the harness's")
    func windowsAreTheHarnesss() throws {
        for item in try Fixture.json("windows.json").elements {
            let (count, length) = (
                try #require(item["tokens"]?.integerValue),
                try #require(item["length"]?.integerValue)
            )
            let windows = RollingWindows.of(
                (0..<count).map { Int32($0 + 1) }, prefix: 0, length: length)
            let found = windows.map { [$0.context.map(Int.init), $0.continuation.map(Int.init)] }
            let expected = try item.member("windows").elements.map { $0.elements.map(\.integers) }
            #expect(found == expected, "\(count) tokens, \(length) at once")
        }
    }

    // One more than the length was taken, which ended the program.
    @Test("lengths up to the greatest number are no trouble")
    func greatestLength() {
        #expect(RollingWindows.of([1, 2], prefix: 0, length: .max).count == 1)
        let request = ScoringRequest(context: [1, 2, 3], continuation: [4, 5])
        #expect(RequestText(request, maximumLength: .max).promptLength == 3)
    }
}
