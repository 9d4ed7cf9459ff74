import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("Rule for outputs")
struct OutputRuleTests {
    private let folder = TemporaryFolder()
    private let own = OwnFiles(
        ["config.json", "weights"], isMarked: { FilePath.exists("\($0)/config.json") },
        isOwnFolder: { FilePath.exists("\($0)/resume.json") })

    private func check(
        _ output: String, apartFrom inputs: String..., isOverwriting: Bool = false
    ) throws {
        try OutputRule.checkFolder(
            folder.file(output),
            apartFrom: inputs.map { .init(folder.file($0), option: "--model") },
            own: own, isOverwriting: isOverwriting)
    }

    @Test("a file that exists is refused unless it is to be replaced, and never if it is read")
    func files() throws {
        let path = folder.write("x", to: "a")
        try OutputRule.checkFile(folder.file("new"), isOverwriting: false)
        #expect(throws: OutputError.exists(output: path, remedy: OutputRule.remedy)) {
            try OutputRule.checkFile(path, isOverwriting: false)
        }
        try OutputRule.checkFile(path, isOverwriting: true)
        link(path, folder.file("hard"))
        symlink(path, folder.file("soft"))
        for name in ["a", "hard", "soft"] {
            let output = folder.file(name)
            #expect(throws: OutputError.isInput(output: output, option: "--data")) {
                try OutputRule.checkFile(
                    output, apartFrom: [.init(path, option: "--data")], isOverwriting: true)
            }
        }
        // A model's folder is read with all that is in it.
        #expect(throws: OutputError.isInput(output: path, option: "--model")) {
            try OutputRule.checkFile(
                path, apartFrom: [.init(folder.path, option: "--model")], isOverwriting: true)
        }
        #expect(throws: FileError.notRegular(file: folder.path)) {
            try OutputRule.checkFile(folder.path, isOverwriting: true)
        }
    }

    @Test("a dangling link is in the way")
    func danglingLink() {
        symlink("nowhere", folder.file("soft"))
        let output = folder.file("soft")
        #expect(throws: OutputError.exists(output: output, remedy: OutputRule.remedy)) {
            try OutputRule.checkFile(output, isOverwriting: false)
        }
    }

    @Test("a folder that is read, lies in one or holds one is refused by whatever path")
    func apart() throws {
        folder.makeFolders("model/inner")
        folder.makeFolders("empty")
        symlink(folder.file("model"), folder.file("soft"))
        let model = folder.file("model")
        for name in ["model", "soft", "empty/../model", "model/", "model/inner/.."] {
            let output = folder.file(name)
            #expect(throws: OutputError.isInput(output: output, option: "--model")) {
                try check(name, apartFrom: "model", isOverwriting: true)
            }
        }
        for name in ["model/inner", "soft/new/deeper", "model/new"] {
            let output = folder.file(name)
            #expect(throws: OutputError.inside(output: output, input: model, option: "--model")) {
                try check(name, apartFrom: "model", isOverwriting: true)
            }
        }
        #expect(
            throws: OutputError.around(
                output: model, input: folder.file("model/inner"), option: "--model")
        ) { try check("model", apartFrom: "model/inner", isOverwriting: true) }
        try check("empty", apartFrom: "model", "nothing")
        try check("new/deeper", apartFrom: "model")
        try check("model2", apartFrom: "model")
    }

    @Test("a folder that the links of a model's folder lead into is refused")
    func linkedModel() {
        folder.makeFolders("model")
        folder.makeFolders("blobs")
        let blob = folder.write("x", to: "blobs/1")
        symlink(blob, folder.file("model/weights"))
        #expect(
            throws: OutputError.around(
                output: folder.file("blobs"), input: folder.file("model/weights"),
                option: "--model")
        ) { try check("blobs", apartFrom: "model") }
    }

    @Test("own files are replaced only if asked, somebody else's never")
    func ownFiles() throws {
        folder.makeFolders("out/checkpoint-1")
        folder.write("{}", to: "out/config.json")
        folder.write("1", to: "out/weights")
        folder.write("", to: "out/.gitignore")
        folder.write("", to: "out/checkpoint-1/resume.json")
        let output = folder.file("out")
        #expect(throws: OutputError.exists(output: output, remedy: OutputRule.remedy)) {
            try check("out")
        }
        try check("out", isOverwriting: true)
        folder.write("", to: "out/notes.txt")
        #expect(throws: OutputError.foreign(folder: output, name: "notes.txt")) {
            try check("out", isOverwriting: true)
        }
        try own.remove(from: output)
        #expect(folder.names(in: "out") == [".gitignore", "notes.txt"])
    }

    @Test("the same names without the mark are somebody else's, and so is a link")
    func strangers() throws {
        folder.makeFolders("out")
        folder.write("1", to: "out/weights")
        let output = folder.file("out")
        #expect(throws: OutputError.foreign(folder: output, name: "weights")) {
            try check("out", isOverwriting: true)
        }
        unlink(folder.file("out/weights"))
        symlink(folder.write("{}", to: "other"), folder.file("out/config.json"))
        #expect(throws: OutputError.foreign(folder: output, name: "config.json")) {
            try check("out", isOverwriting: true)
        }
        let file = folder.write("", to: "file")
        #expect(throws: FileError.system(file: file, action: "write into", code: ENOTDIR)) {
            try check("file", isOverwriting: true)
        }
    }

    @Test("messages say what to do")
    func sentences() {
        #expect(
            OutputError.isInput(output: "a", option: "--model").description
                == "a: is what --model names, expected an output of its own; choose another name")
        #expect(
            OutputError.exists(output: "a", remedy: OutputRule.remedy).description
                == "a: exists already; choose another name or give --overwrite")
        #expect(
            OutputError.foreign(folder: "a", name: "b").description
                == "a: holds 'b', which is none of the files written here; "
                + "choose another folder or move it away")
    }
}
