#!/usr/bin/env python3
"""The structure that Package.swift and CONTRIBUTING.md state, held against the code.

Fails, a line for each place, when a file imports a module that its target does not declare, when a
library imports ArgumentParser, when a target that CONTRIBUTING.md does not name uses unsafe pointers, or when
a target reaches, through whatever lies between, what it must do without.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Modules of the toolchain and the platform, which no manifest declares.
SYSTEM = {"Foundation", "FoundationEssentials", "Dispatch", "Synchronization", "Glibc", "Darwin", "Musl", "Testing"}
IMPORT = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+(?:struct\s+|class\s+|enum\s+|func\s+)?(\w+)", re.M)
UNSAFE = re.compile(
    r"\bUnsafe(?:Mutable|Raw|MutableRaw|Buffer|MutableBuffer|RawBuffer|MutableRawBuffer)?(?:Buffer)?Pointer\b"
    r"|\bwithUnsafe\w+|\bOpaquePointer\b|\bunsafeBitCast\b|\bUnmanaged\b")
# What targets must not reach: who only plans or learns links no simulator, no file format and no engine.
WITHOUT = {
    "Policies": {"MuJoCo", "HDF5", "Yams", "CKernels"},
    "Learning": {"MuJoCo", "HDF5", "Yams", "Behavior"},
    "Agents": {"MuJoCo", "HDF5", "Yams", "Behavior"},
    "PythonInterface": {"MuJoCo", "HDF5", "Yams", "Datasets", "Environments"},
    "Transformer": {"CKernels"},
    "Planning": {"CKernels"},
    "Training": {"Yams", "MuJoCo", "CKernels"},
}
# Parts of programs, and of no library.
ARGUMENTS = {"ModelArguments"}

# What goes into the Python wheel, which all of Foundation would make four times as large, does without it.
LEAN = "PythonInterface"
WHOLE_FOUNDATION = re.compile(r"^(?:public |package )?import Foundation$", re.M)


def manifest(package):
    text = subprocess.run(
        ["swift", "package", "dump-package", "--package-path", str(package)], check=True, capture_output=True, text=True
    ).stdout
    return json.loads(text)


def dependencies(target, products):
    """The modules that a target may import: of a product, all of its targets."""
    names = set()
    for dependency in target["dependencies"]:
        kind, value = next(iter(dependency.items()))
        names |= products.get(value[0], {value[0]}) if kind == "product" else {value[0]}
    return names


def code(text):
    """The text without comments and the inside of strings."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r'"""(?:.|\n)*?"""', '""', text)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"//[^\n]*", "", text)


def allowed_unsafe():
    """The targets and files that CONTRIBUTING.md lets use unsafe pointers."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    match = re.search(r"^- Unsafe pointers and C only in(.*?)(?=^- |^$)", text, re.M | re.S)
    if not match:
        sys.exit("CONTRIBUTING.md: no line 'Unsafe pointers and C only in …'")
    return set(re.findall(r"`([\w-]+)`", match.group(1)))


def check(package, products, unsafe):
    problems = []
    for target in manifest(package)["targets"]:
        if target["type"] in ("system", "plugin", "binary"):
            continue
        name = target["name"]
        folder = package / (target.get("path") or {"test": "Tests"}.get(target["type"], "Sources") + "/" + name)
        declared = dependencies(target, products)
        for file in sorted(folder.rglob("*.swift")):
            text = code(file.read_text())
            place = file.relative_to(ROOT)
            for module in sorted(set(IMPORT.findall(text)) - SYSTEM - declared - {name}):
                problems.append(f"{place}: imports {module}, which '{name}' does not declare")
            if target["type"] == "regular" and "ArgumentParser" in IMPORT.findall(text) and name not in ARGUMENTS:
                problems.append(f"{place}: a library imports ArgumentParser")
            found = UNSAFE.search(text)
            if found and target["type"] != "test" and not unsafe & {name, file.stem}:
                problems.append(f"{place}: uses {found.group()}, and CONTRIBUTING.md does not name '{name}'")
    return problems


def reached(name, targets):
    """All modules that a target links, itself included."""
    seen, waiting = set(), [name]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += targets.get(module, [])
    return seen


def check_reach():
    targets = {target["name"]: dependencies(target, {}) for target in manifest(ROOT)["targets"]}
    return [
        f"Package.swift: {name} reaches {', '.join(sorted(found))}, which it must do without"
        for name, unwanted in WITHOUT.items()
        if (found := reached(name, targets) & unwanted)
    ]


def check_lean():
    targets = {target["name"]: dependencies(target, {}) for target in manifest(ROOT)["targets"]}
    return [
        f"{file.relative_to(ROOT)}: imports all of Foundation, where {LEAN} reaches; see decision 0050"
        for name in sorted(reached(LEAN, targets))
        for file in sorted((ROOT / "Sources" / name).rglob("*.swift"))
        if WHOLE_FOUNDATION.search(file.read_text())
    ]


def main():
    unsafe = allowed_unsafe()
    packages = [ROOT] + [file.parent for file in sorted(ROOT.glob("Examples/Package.swift"))]
    packages += [file.parent for file in sorted(ROOT.glob("Examples/*/Package.swift"))]
    packages.append(ROOT / "Server")
    products = {product["name"]: set(product["targets"]) for product in manifest(ROOT)["products"]}
    problems = [problem for package in packages for problem in check(package, products, unsafe)]
    problems += check_reach() + check_lean()
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"{len(problems)} places do not hold to the structure")
    print("imports, ArgumentParser and unsafe pointers hold to the structure")


main()
