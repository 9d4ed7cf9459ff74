import Testing

@testable import Storage

@Suite("Spelling")
struct SpellingTests {
    @Test(
        "words are as far apart as the letters that must change",
        arguments: [
            ("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("", "ab", 2),
            ("kitten", "sitting", 3),
        ])
    func distance(_ left: String, _ right: String, expected: Int) {
        #expect(Spelling.distance(left, right) == expected)
        #expect(Spelling.distance(right, left) == expected)
    }

    @Test(
        "the word that was meant is found, however it is joined or cut short",
        arguments: [
            ("modle", "model"), ("learning_rat", "learning-rate"),
            ("Learning-Rate", "learning-rate"),
            ("out", "output-dir"), ("lernin-rate", "learning-rate"), ("x", "n"), ("", nil),
            ("nothing-alike", nil),
        ])
    func nearest(_ word: String, expected: String?) {
        let known = ["model", "learning-rate", "output-dir", "n"]
        #expect(Spelling.nearest(to: word, among: known) == expected)
    }
}
