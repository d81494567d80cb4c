#!/usr/bin/env python3
"""The documentation held against the tree.

Fails, a line for each place, when a page names a file or folder of the repository that is not there, links to
one, or has a line of prose beyond 120 columns (tables, code and links alone on a line are free).
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH = 120
FOLDERS = ("Sources", "Tests", "Scripts", "Benchmarks", "Examples", "Experiments", "Checkpoints", "Server", "docs")


def tracked():
    text = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return text.split("\n")


def check(page, names):
    problems = []
    fenced = False
    for number, line in enumerate((ROOT / page).read_text().split("\n"), 1):
        place = f"{page}:{number}"
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if not fenced and len(line) > WIDTH and not line.startswith("|") and " " in line[:WIDTH].strip():
            problems.append(f"{place}: {len(line)} columns of prose, {WIDTH} at most")
        if fenced:
            continue
        for path in re.findall(r"`((?:" + "|".join(FOLDERS) + r")/[\w./+-]*)`", line):
            if "NNNN" not in path and not (ROOT / path).exists():
                problems.append(f"{place}: there is no {path}")
        for name in re.findall(r"`(\w+(?:\+\w+)?\.swift)`", line):
            if name not in names:
                problems.append(f"{place}: there is no file {name}")
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line):
            if "://" not in target and not ((ROOT / page).parent / target).exists():
                problems.append(f"{place}: the link to {target} leads nowhere")
    return problems


def main():
    files = tracked()
    names = {pathlib.PurePath(file).name for file in files}
    # Pages of results are generated, and as wide as their tables.
    pages = [file for file in files if file.endswith(".md") and not file.startswith("docs/results/")]
    problems = [problem for page in pages for problem in check(page, names)]
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"{len(problems)} places of the documentation do not hold")
    print(f"{len(pages)} pages of documentation hold to the tree")


main()
