import TestSupport
import Testing

@testable import ChatTerminal

@Suite("Completion")
struct CompletionTests {
    private let folder = TemporaryFolder()

    private func complete(
        _ text: String, _ completion: Completion = Completion()
    ) -> (Completion.Result, [String]) {
        var shown: [String] = []
        let result = completion.complete(text) { shown = $0 }
        return (result, shown)
    }

    @Test(
        "as much is completed as all candidates share",
        arguments: [
            ("/he", "lp "), ("/sa", "ve "), ("/set", " "), ("/set p", "arameter "),
            ("/set parameter te", "mperature "), ("/set history c", "arry "),
            ("/show te", "mplate "), ("/adapter of", "f "),
            ("/help reg", "en "), ("hello", nil), ("/nonsense x", nil),
            ("/set parameter seed 4", nil), ("/r", "egen "), ("/show model x", nil),
        ] as [(String, String?)])
    func suffixes(_ text: String, expected: String?) {
        #expect(complete(text).0 == (expected.map { .suffix($0) } ?? .nothing))
    }

    @Test("where nothing more is shared, all candidates are shown")
    func lists() {
        #expect(complete("/adapter o") == (.shown, ["on", "off"]))
        #expect(complete("/b") == (.shown, ["/bye", "/branch"]))
        #expect(complete("/").1.count > 10)
        #expect(complete("/show ").1.contains("history"))
    }

    @Test("branches and adapters are completed by name, blanks included")
    func names() {
        var completion = Completion()
        completion.branches = ["main", "my idea", "my other"]
        completion.adapters = ["out/mine", "out/yours"]
        #expect(complete("/switch ma", completion).0 == .suffix("in "))
        #expect(complete("/branch m", completion) == (.shown, ["main", "my idea", "my other"]))
        #expect(complete("/branch my", completion).0 == .suffix(" "))
        #expect(complete("/branch my i", completion).0 == .suffix("dea "))
        #expect(complete("/adapter on ", completion).0 == .suffix("out/"))
        #expect(complete("/adapter on out/", completion) == (.shown, ["mine", "yours"]))
    }

    @Test("files are completed from their folder, folders with a slash, hidden ones on request")
    func paths() {
        for name in ["talks", "tall"] { folder.makeFolders(name) }
        folder.write("", to: "talk one.md")
        folder.write("", to: ".hidden")
        folder.write("", to: "talks/a.md")
        var completion = Completion()
        completion.homeFolder = folder.path
        #expect(
            complete("/load ~/ta", completion) == (.suffix("l"), []))
        #expect(
            complete("/load ~/tal", completion) == (.shown, ["talk one.md", "talks/", "tall/"]))
        #expect(complete("/load ~/talks", completion).0 == .suffix("/"))
        #expect(complete("/load ~/talks/", completion).0 == .suffix("a.md "))
        #expect(complete("/save --overwrite ~/talk o", completion).0 == .suffix("ne.md "))
        #expect(complete("/adapter load \(folder.path)/tal").1 == ["talks/", "tall/"])
        #expect(complete("/load \(folder.path)/.h").0 == .suffix("idden "))
        #expect(complete("/load \(folder.path)/none/").0 == .nothing)
    }

    @Test("candidates stand in columns that fit the terminal")
    func columns() {
        let words = ["one", "two", "three", "four", "日本"]
        #expect(Completion.columns(words, width: 20) == ["one    three  日本", "two    four"])
        #expect(Completion.columns(words, width: 4) == words)
        #expect(Completion.columns(words, width: 60).count == 1)
    }

    @Test("a character is what people take for one")
    func characters() {
        let text = "ae\u{301}👨‍👩‍👧🇩🇪👍🏽b"
        let line = text.unicodeScalars.map(\.value)
        var (cursor, lengths) = (line.count, [Int]())
        while case let length = Characters.length(in: line, beside: cursor, isBackward: true),
            length > 0
        {
            lengths.append(length)
            cursor -= length
        }
        #expect(lengths == [1, 2, 2, 5, 2, 1])
        cursor = 0
        for expected in lengths.reversed() {
            #expect(Characters.length(in: line, beside: cursor, isBackward: false) == expected)
            cursor += expected
        }
        #expect(Characters.length(in: line, beside: cursor, isBackward: false) == 0)
        #expect(Characters.length(in: [0xD800], beside: 1, isBackward: true) == 1)
    }
}
