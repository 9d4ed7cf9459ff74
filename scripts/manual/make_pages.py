#!/usr/bin/env python3
"""Makes manual pages and completion scripts from what the commands tell of themselves.

    scripts/manual/make_pages.py SHARE [COMMANDS]

SHARE gets man/man1 (one page a program and one a subcommand), bash-completion/completions, zsh/site-functions and
fish/vendor_completions.d, as below /usr/share; COMMANDS is the folder of the programs, .build/release unless given.
"""
import json
import pathlib
import re
import subprocess
import sys

PROGRAMS = ["mtl-finetune", "mtl-eval", "mtl-chat"]
# What a value is, where it is no number or text and not one of a list: options of any command, and words by their name.
FOLDERS = {"--model", "--adapter", "--init-adapter", "--output-dir", "--include-path", "--data-dir"}
FILES = {"--data", "--valid", "--sample-prompts", "--config", "--template", "--requests", "--input", "--output", "--report",
         "--output-path"}
# Words that a program lists: its command line in sh.
LISTS = {"--recipe": "mtl-finetune recipes 2>/dev/null | cut -d' ' -f1",
         "<sweep>": "mtl-finetune recipes 2>/dev/null | cut -d' ' -f1",
         "<name>": "mtl-finetune recipes 2>/dev/null | cut -d' ' -f1",
         "--tasks": "mtl-eval --list-tasks 2>/dev/null | grep -v -e '^|  ' -e '^|-' | cut -d'|' -f2 | tr -d ' '"}


class Command:
    """A program, or a subcommand."""

    def __init__(self, program, told):
        self.program, self.told = program, told
        self.name = told["commandName"]
        self.title = self.name if self.name == program else f"{program} {self.name}"
        arguments = [x for x in told.get("arguments", []) if x.get("shouldDisplay", True)]
        self.options = [x for x in arguments if x["kind"] != "positional"]
        self.words = [x for x in arguments if x["kind"] == "positional"]
        self.examples, self.text = [], told.get("discussion", "").strip()
        if "EXAMPLES:\n" in self.text:
            self.text, examples = self.text.split("EXAMPLES:\n")
            self.examples = [line.strip() for line in examples.replace("\\\n", "").strip().split("\n")]
            self.examples = [re.sub(" +", " ", line) for line in self.examples]

    def subcommands(self):
        return [Command(self.program, x) for x in self.told.get("subcommands", []) if x["commandName"] != "help"]


def spellings(option):
    return [("--" if x["kind"] == "long" else "-") + x["name"] for x in option["names"]]


def kind(option):
    """What completes an option's value: a list of words, 'folders', 'files', a line of sh, or nothing."""
    if option["kind"] == "flag":
        return None
    if option.get("allValues"):
        return option["allValues"]
    names = spellings(option) if option["kind"] == "option" else [f"<{option['valueName']}>"]
    for name in names:
        if name in LISTS:
            return LISTS[name]
        if name in FOLDERS:
            return "folders"
        if name in FILES:
            return "files"
    return "folders" if option["kind"] == "positional" else None


# Manual pages.

def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "\\[u2026]")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def page(command, version, others):
    head = command.title.replace(" ", "-")
    lines = [f'.TH {roff(head.upper())} 1 "" "mambatreel {version}" "MambaTreeL"', ".SH NAME",
             f"{roff(head)} \\- {roff(command.told['abstract'].rstrip('.'))}", ".SH SYNOPSIS"]
    words = "".join(f" [{x['valueName']}]" if x.get("isOptional") else f" {x['valueName']}" for x in command.words)
    lines.append(f".B {roff(command.title)}\n[options]{roff(words)}")
    if command.text.strip():
        lines += [".SH DESCRIPTION", roff(command.text.strip())]
    section = None
    for option in command.words + command.options:
        title = option.get("sectionTitle", "Arguments" if option["kind"] == "positional" else "Options").upper()
        if title != section:
            lines.append(f".SH {title}")
            section = title
        value = f" \\fI{roff(option['valueName'])}\\fR" if option["kind"] == "option" else ""
        names = spellings(option) if option["kind"] != "positional" else [option["valueName"]]
        lines += [".TP", ", ".join(f"\\fB{roff(name)}\\fR" for name in names) + value]
        text = option.get("abstract", "")
        if option.get("allValues"):
            text += f" Values: {', '.join(option['allValues'])}."
        if option.get("defaultValue") not in (None, "") and "(default" not in text:
            text += f" Default: {option['defaultValue']}."
        lines.append(roff(text))
    if others and command.title == command.program:
        lines.append(".SH COMMANDS")
        default = command.told.get("defaultSubcommand")
        for other in others:
            lines += [".TP", f"\\fB{roff(other.name)}\\fR",
                      roff(other.told["abstract"]) + (" Meant without a subcommand." if other.name == default else "")]
    if command.examples:
        lines += [".SH EXAMPLES", ".nf"] + [roff(x) for x in command.examples] + [".fi"]
    lines += [".SH EXIT STATUS", "0: done; 64: wrong usage; 1: anything else.", ".SH SEE ALSO"]
    pages = [x.title.replace(" ", "-") for x in others if x.title != command.title] or PROGRAMS
    lines.append(", ".join(f"\\fB{roff(x)}\\fR(1)" for x in pages if x != head))
    return "\n".join(lines) + "\n"


# Completion. A command that goes without saying is completed without its name, too.

def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def bash(program, commands, default):
    function = "_" + program.replace("-", "_")
    names = [x.name for x in commands if x.name != program]
    lines = [f"# Completion of {program} for bash.", f"{function}() {{",
             "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}",
             f"    local command={default.name} choices= kind=files"]
    if names:
        lines += ["    if [ \"$COMP_CWORD\" -gt 1 ]; then", "        case \"${COMP_WORDS[1]}\" in",
                  f"        {'|'.join(names)}) command=${{COMP_WORDS[1]}} ;;", "        esac",
                  "    elif [[ $current != -* ]]; then", f"        choices={quoted(' '.join(names))} kind=words", "    fi"]
    lines.append("    case \"$command $previous\" in")
    for command in commands:
        for option in command.options:
            if option["kind"] != "option":
                continue
            completes = kind(option)
            pattern = "|".join(quoted(f"{command.name} {x}") for x in spellings(option))
            lines.append(f"    {pattern}) {bash_kind(completes)} ;;")
    lines += ["    *)", "        if [[ $current == -* ]]; then", "            kind=words",
              "            case \"$command\" in"]
    for command in commands:
        every = " ".join(name for option in command.options for name in spellings(option))
        lines.append(f"            {command.name}) choices={quoted(every)} ;;")
    lines += ["            esac"]
    for command in commands:
        completes = [kind(x) for x in command.words]
        if completes and isinstance(completes[0], str) and completes[0] not in ("folders", "files"):
            lines += [f"        elif [ \"$command\" = {command.name} ]; then", f"            {bash_kind(completes[0])}"]
    lines += ["        fi", "        ;;", "    esac", "    case \"$kind\" in",
              "    words) mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\") ;;",
              "    folders) mapfile -t COMPREPLY < <(compgen -d -- \"$current\") ;;",
              "    both) mapfile -t COMPREPLY < <(compgen -W \"$choices\" -f -- \"$current\") ;;",
              "    *) mapfile -t COMPREPLY < <(compgen -f -- \"$current\") ;;", "    esac", "}",
              f"complete -o filenames -F {function} {program}", ""]
    return "\n".join(lines)


def bash_kind(completes):
    if isinstance(completes, list):
        return f"choices={quoted(' '.join(completes))} kind=words"
    if completes in ("folders", "files"):
        return f"kind={completes}"
    return f"choices=$({completes}) kind=both" if completes else "kind=words"


def zsh(program, commands, default):
    names = [x for x in commands if x.name != program]
    lines = [f"#compdef {program}", f"local command={default.name}"]
    if names:
        lines += ["if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then",
                  "    local -a subcommands=(" + " ".join(quoted(f"{x.name}:{x.told['abstract']}") for x in names) + ")",
                  "    _describe command subcommands", "    return", "fi", "case $words[2] in",
                  f"{'|'.join(x.name for x in names)}) command=$words[2]; shift words; (( CURRENT-- )) ;;", "esac"]
    lines.append("case $command in")
    for command in commands:
        lines.append(f"{command.name})\n    _arguments -s \\")
        for option in command.options:
            text = re.sub(r"([\[\]:\\])", r"\\\1", option.get("abstract", ""))
            star = "*" if option.get("isRepeating") else ""
            value = f":{option['valueName']}:{zsh_kind(kind(option))}" if option["kind"] == "option" else ""
            for name in spellings(option):
                lines.append(f"        {quoted(f'{star}{name}[{text}]{value}')} \\")
        words = zsh_kind(kind(command.words[0])) if command.words else "_files"
        lines.append(f"        {quoted('*:file:' + words)}\n    ;;")
    return "\n".join(lines + ["esac", ""])


def zsh_kind(completes):
    if isinstance(completes, list):
        return f"({' '.join(completes)})"
    if completes in ("folders", "files"):
        return "_files -/" if completes == "folders" else "_files"
    return f"{{compadd -- $({completes}); _files}}" if completes else " "


def fish(program, commands, default):
    function = "__" + program.replace("-", "_") + "_is"
    names = [x.name for x in commands if x.name != program]
    lines = [f"# Completion of {program} for fish.", f"function {function}", "    set -l typed (commandline -opc)",
             f"    set -l command {default.name}",
             f"    if contains -- \"$typed[2]\" {' '.join(names)}", "        set command $typed[2]", "    end",
             "    test $command = $argv[1]", "end"]
    for command in commands:
        if command.name != program:
            lines.append(f"complete -c {program} -n 'test (count (commandline -opc)) = 1' -f -a {command.name} "
                         f"-d {fish_quoted(command.told['abstract'])}")
        for option in command.options:
            name = " ".join(f"-{'l' if x['kind'] == 'long' else 's'} {x['name']}" for x in option["names"])
            completes = kind(option)
            value = "" if option["kind"] == "flag" else {
                list: lambda: f" -x -a {fish_quoted(' '.join(completes))}",
                str: lambda: " -x -a '(__fish_complete_directories)'" if completes == "folders"
                else " -r" if completes == "files" else f" -r -a {fish_quoted(f'({completes})')}",
                type(None): lambda: " -x"}[type(completes)]()
            lines.append(f"complete -c {program} -n '{function} {command.name}' {name}{value} "
                         f"-d {fish_quoted(option.get('abstract', ''))}")
    return "\n".join(lines + [""])


def fish_quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main():
    share = pathlib.Path(sys.argv[1])
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".build/release")

    def write(path, text):
        (share / path).parent.mkdir(parents=True, exist_ok=True)
        (share / path).write_text(text, encoding="utf-8")

    count = 0
    for program in PROGRAMS:
        def run(option):
            return subprocess.run([folder / program, option], check=True, capture_output=True, text=True).stdout

        root = Command(program, json.loads(run("--experimental-dump-help"))["command"])
        others = root.subcommands()
        commands = others or [root]
        default = next((x for x in others if x.name == root.told.get("defaultSubcommand")), root)
        for command in [root] + others:
            write(f"man/man1/{command.title.replace(' ', '-')}.1", page(command, run("--version").strip(), others))
            count += 1
        write(f"bash-completion/completions/{program}", bash(program, commands, default))
        write(f"zsh/site-functions/_{program}", zsh(program, commands, default))
        write(f"fish/vendor_completions.d/{program}.fish", fish(program, commands, default))
    print(f"{count} manual pages and completion for bash, zsh and fish in {share}")


main()
