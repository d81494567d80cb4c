#!/usr/bin/env python3
"""Makes a manual page (man) of what the tool says of itself: reads --experimental-dump-help, prints roff."""
import json
import sys


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def spelled(argument):
    """An option as it is typed."""
    names = ["-" * (1 if name["kind"] == "short" else 2) + name["name"] for name in argument.get("names", [])]
    value = "<" + argument.get("valueName", "value") + ">"
    if argument["kind"] == "positional":
        return value + (" ..." if argument["isRepeating"] else "")
    return ", ".join(names) + ("" if argument["kind"] == "flag" else " " + value)


def flowing(text):
    """Paragraphs that fill lines, and lines that are indented, such as examples, as they are."""
    lines = []
    for paragraph in text.split("\n\n"):
        lines.append(".PP")
        for line in paragraph.split("\n"):
            lines += [".nf", escaped(line), ".fi"] if line.startswith("  ") else [escaped(line)]
    return lines


def command(tool, path, lines):
    name = " ".join([*path, tool["commandName"]])
    lines += [f'.SH "{escaped(name).upper()}"' if not path else f'.SS "{escaped(name)}"', escaped(tool["abstract"])]
    if tool.get("discussion"):
        lines += flowing(tool["discussion"])
    for argument in tool.get("arguments", []):
        if not argument.get("shouldDisplay", True) or spelled(argument) in ("-h, --help", "--version"):
            continue
        text = " ".join(filter(None, [argument.get("abstract"), argument.get("discussion")]))
        default = argument.get("defaultValue")
        if default and argument["kind"] != "flag":
            text += f" (default: {default})"
        lines += [".TP", f"\\fB{escaped(spelled(argument))}\\fR", escaped(text) or "."]
    for sub in tool.get("subcommands", []):
        if sub["commandName"] != "help":
            command(sub, [*path, tool["commandName"]], lines)


def main():
    root = json.load(sys.stdin)["command"]
    subcommands = [sub for sub in root["subcommands"] if sub["commandName"] != "help"]
    lines = [
        '.TH TRAJECTORY 1 "" "trajectory" "User Commands"',
        ".SH NAME",
        f"trajectory \\- {escaped(root['abstract'])}",
        ".SH SYNOPSIS",
        ".B trajectory",
        "\\fIcommand\\fR [\\fIoption\\fR ...]",
        ".SH DESCRIPTION",
        *flowing(root.get("discussion", "")),
        ".SH COMMANDS",
    ]
    for sub in subcommands:
        command(sub, ["trajectory"], lines)
    lines += [
        ".SH ENVIRONMENT",
        ".TP",
        "\\fBTRAJECTORY_CHECKPOINTS\\fR",
        "Folders, separated by colons, in which checkpoints are looked for by name.",
        ".TP",
        "\\fBTRAJECTORY_MODELS\\fR",
        "The folder of the robots' models, in place of the installed one.",
    ]
    print("\n".join(lines))


main()
