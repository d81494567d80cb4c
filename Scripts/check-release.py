#!/usr/bin/env python3
"""What a release says of itself, held together.

Fails, a line for each place, when CITATION.cff has another version than Sources/Release/Release.swift, when
CHANGELOG.md is not in the form of Keep a Changelog, when THIRD-PARTY.md names another version than the one that is
fetched, or a text that is not there, or .spi.yml a target that is none.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def read(name):
    return (ROOT / name).read_text()


def found(pattern, name):
    match = re.search(pattern, read(name), re.M)
    if not match:
        sys.exit(f"{name}: nothing is like {pattern}")
    return match.group(1)


def check_changelog(version):
    releases = [line for line in read("CHANGELOG.md").split("\n") if line.startswith("## ")]
    if releases[:1] != ["## [Unreleased]"]:
        yield "CHANGELOG.md: the first section is not '## [Unreleased]'"
    for line in releases[1:]:
        if not re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line):
            yield f"CHANGELOG.md: '{line}' is not '## [1.2.3] - 2026-01-31'"
    if releases[1:] and f"[{version}]" not in releases[1]:
        yield f"CHANGELOG.md: the newest release is not {version}"
    seen = []
    for line in read("CHANGELOG.md").split("\n"):
        if line.startswith("## "):
            seen = []
        elif line.startswith("### "):
            kind = line[4:]
            if kind not in KINDS or kind in seen:
                yield f"CHANGELOG.md: the heading '{kind}' comes twice or is none of {', '.join(KINDS)}"
            seen.append(kind)


def check_others():
    pinned = {
        "MuJoCo": found(r"^mujoco_version=(\S+)", "Scripts/bootstrap.sh"),
        "Gymnasium": found(r"gymnasium==(\S+)", "Scripts/bootstrap.sh"),
        "Gymnasium-Robotics": found(r"gymnasium-robotics==(\S+)", "Scripts/bootstrap.sh"),
        "swift-argument-parser": found(r'swift-argument-parser", exact: "([^"]+)"', "Package.swift"),
        "Yams": found(r'Yams", exact: "([^"]+)"', "Package.swift"),
        "swift-nio": found(r'swift-nio", exact: "([^"]+)"', "Server/Package.swift"),
        "swift-log": found(r'swift-log", exact: "([^"]+)"', "Server/Package.swift"),
        "swift-service-lifecycle": found(r'swift-service-lifecycle", exact: "([^"]+)"', "Server/Package.swift"),
    }
    text = read("THIRD-PARTY.md")
    for name, version in pinned.items():
        if not re.search(rf"\[{name}\]\(\S+\) {re.escape(version)} ", text):
            yield f"THIRD-PARTY.md: {name} is not named with {version}, the version that is fetched"
    for file in sorted((ROOT / "Licenses").iterdir()):
        if f"Licenses/{file.name}" not in text:
            yield f"THIRD-PARTY.md: Licenses/{file.name} is not named"


def check_index():
    text = read(".spi.yml")
    named = re.findall(r"target: (\w+)", text)
    named += found(r"documentation_targets: \[(.+)\]", ".spi.yml").split(", ")
    for name in sorted(set(named)):
        if not (ROOT / "Sources" / name).is_dir():
            yield f".spi.yml: there is no target {name}"


def main():
    version = found(r'static let version = "(\d+\.\d+\.\d+)"', "Sources/Release/Release.swift")
    problems = []
    cited = found(r"^version: (\S+)$", "CITATION.cff")
    if cited != version:
        problems.append(f"CITATION.cff: the version is {cited}, and {version} in Sources/Release/Release.swift")
    problems += [*check_changelog(version), *check_others(), *check_index()]
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"{len(problems)} places do not hold to the release")
    print(f"version {version}, changelog and third parties hold together")


main()
