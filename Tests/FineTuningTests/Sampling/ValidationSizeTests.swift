import Testing

@testable import FineTuning

@Suite("Validation size")
struct ValidationSizeTests {
    private let records = countingRecords(10)

    @Test("numbers below 1 are fractions, others counts")
    func numbers() {
        #expect(ValidationSize(0) == ValidationSize.none)
        #expect(ValidationSize(0.25) == .fraction(0.25))
        #expect(ValidationSize(3) == .count(3))
        for number in [-1, 2.5, .infinity, .nan, 1e300] { #expect(ValidationSize(number) == nil) }
    }

    @Test("both parts keep the data's order, and the seed decides")
    func splits() throws {
        let (training, validation) = try ValidationSize.fraction(0.25).split(records, seed: 1)
        #expect(validation.count == 3)
        #expect(
            (training + validation).map(\.origin.line).sorted() == Array(1...10))
        #expect(training.map(\.origin.line) == training.map(\.origin.line).sorted())
        #expect(try ValidationSize.count(3).split(records, seed: 1).validation == validation)
        let other = try ValidationSize.count(3).split(records, seed: 2).validation
        #expect(other != validation)
        #expect(try ValidationSize.none.split(records, seed: 1).training == records)
    }

    @Test("something must be left to train on")
    func somethingIsLeft() {
        #expect(throws: DataError.nothingLeft(records: 10, heldOut: 10)) {
            try ValidationSize.count(10).split(records, seed: 1)
        }
        #expect(throws: DataError.nothingLeft(records: 10, heldOut: 10)) {
            try ValidationSize.fraction(0.95).split(records, seed: 1)
        }
    }
}
