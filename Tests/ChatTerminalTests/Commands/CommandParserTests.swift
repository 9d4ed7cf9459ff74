import Testing

@testable import ChatTerminal

@Suite("Commands")
struct CommandParserTests {
    @Test(
        "every spelling does what it says",
        arguments: [
            ("/help", .help(nil)), ("/?", .help(nil)), ("/help set", .help("set")),
            ("/bye", .leave), ("/exit", .leave), ("/quit", .leave), ("/q", .leave),
            ("/clear", .clear), ("/reset", .clear),
            ("/set parameter", .change(.listParameters)),
            (
                "/set parameter temperature 0.5",
                .change(.parameter(name: "temperature", value: "0.5"))
            ),
            ("/set system Be brief.", .change(.system("Be brief."))),
            ("/set system Be\nbrief.", .change(.system("Be\nbrief."))),
            ("/set system", .change(.system(nil))),
            ("/set history carry", .change(.history(.carry))),
            ("/set history", .change(.recording(true))),
            ("/set nohistory", .change(.recording(false))),
            ("/set verbose", .change(.verbose(true))),
            ("/set quiet", .change(.verbose(false))), ("/set wordwrap", .change(.wordWrap(true))),
            ("/set nowordwrap", .change(.wordWrap(false))),
            ("/show", .show(.info)), ("/show  parameters ", .show(.parameters)),
            ("/save a file.json", .file(.save(.init(name: "a file.json")))),
            ("/load x", .file(.load("x"))),
            ("/export x.md", .file(.export(.init(name: "x.md")))),
            ("/save --overwrite  a b", .file(.save(.init(name: "a b", isOverwriting: true)))),
            ("/regen", .regenerate),
            ("/regenerate", .regenerate), ("/undo", .undo), ("/fork b", .branch(.fork("b"))),
            ("/branch", .branch(.list)), ("/branches", .branch(.list)),
            ("/switch b", .branch(.change(to: "b"))), ("/adapter list", .adapter(.list)),
            ("/adapter on", .adapter(.on(nil))), ("/adapter on a", .adapter(.on("a"))),
            ("/adapter off", .adapter(.off)), ("/adapter load d", .adapter(.load("d"))),
            ("/ab", .compare(nil)), ("/ab Why?", .compare("Why?")), ("/score  x y ", .score("x y")),
            ("/tokens x", .tokens("x")), ("/stats", .statistics), ("/tree", .tree(layer: 0)),
            ("/tree 3", .tree(layer: 3)),
        ] as [(String, CommandAction)])
    func actions(_ text: String, expected: CommandAction) throws {
        #expect(try CommandParser.action(of: text) == expected)
    }

    @Test(
        "what is wrong is named, with what was expected",
        arguments: [
            ("/hlep", "unknown command '/hlep'; did you mean /help?"),
            ("/regenrate", "did you mean /regenerate?"), ("/sav", "did you mean /save?"),
            ("/xyzzy", "/help lists the commands"), ("/", "/help lists the commands"),
            ("/usr/bin/env", "put a space before it"),
            ("/set", "/set lacks its second word, expected parameter, system"),
            ("/set foo", "/set does not know 'foo', expected parameter"),
            ("/adapter", "expected list, on, off, load"), ("/save", "expected /save FILE"),
            ("/fork", "expected /fork NAME"), ("/set parameter top_k", "NAME VALUE"),
            ("/set history never", "expected recompute, carry"), ("/show me", "expected info"),
            ("/clear all", "found 'all', expected nothing after /clear"),
            ("/tree top", "/tree [LAYER]: found 'top', expected the number of a layer"),
            ("/tree -1", "expected the number of a layer"),
        ])
    func errors(_ text: String, expected: String) {
        do {
            let action = try CommandParser.action(of: text)
            Issue.record("\(text) is \(action)")
        } catch {
            #expect("\(error)".contains(expected), "\(error)")
            #expect(!"\(error)".contains("\n"))
        }
    }

    @Test("a slash begins a command, but not in a text of many lines that begins with a path")
    func isCommand() {
        #expect(CommandParser.isCommand("/help"))
        #expect(CommandParser.isCommand("/hlep"))
        #expect(CommandParser.isCommand("/set system a\nb"))
        #expect(!CommandParser.isCommand("/usr/bin: a\nb"))
        #expect(!CommandParser.isCommand(" /help"))
        #expect(!CommandParser.isCommand("help"))
    }

    @Test("no name or alias stands for two commands")
    func namesAreUnique() {
        var owners: [String: String] = [:]
        for command in CommandTable.commands {
            for name in [command.name] + command.aliases {
                #expect(owners[name, default: command.name] == command.name, "\(name)")
                owners[name] = command.name
            }
        }
    }

    @Test("a long line that is no command is reported in short")
    func longLine() {
        let text = "/" + String(repeating: "x", count: 1_000_000)
        do {
            _ = try CommandParser.action(of: text)
            Issue.record("no error")
        } catch {
            #expect("\(error)".count < 200)
        }
    }
}
