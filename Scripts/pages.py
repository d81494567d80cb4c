#!/usr/bin/env python3
"""The pages of the repository as HTML: README, docs/ with results and decisions, and the READMEs they link to.

    pages.py FOLDER    writes them into FOLDER, index.html first, with the pictures and files that they link to

A link to what is no page and no small file, such as a source, becomes its text. Fails where a link leads nowhere.
"""
import html
import pathlib
import posixpath
import re
import shutil
import subprocess
import sys

from markdown_it import MarkdownIt

ROOT = pathlib.Path(__file__).resolve().parent.parent
LARGEST = 4_000_000
COPIED = {".png", ".svg", ".gif", ".webp", ".jpg", ".mp4", ".jsonl", ".json", ".csv", ".yaml", ".cff", ".html"}
MENU = [
    ("Start", [("README.md", "Overview"), ("docs/python.md", "Python"), ("docs/swift.md", "Swift"),
               ("docs/command-line.md", "Command line"), ("docs/serving.md", "Serving"), ("docs/live.md", "Live page")]),
    ("Results", [("docs/results/README.md", "All experiments"), ("docs/results/offline-locomotion.md", "Locomotion"),
                 ("docs/results/sparse-mazes.md", "Sparse mazes"), ("docs/results/four-rooms.md", "Goals"),
                 ("docs/results/imitation.md", "Imitation"), ("docs/results/long-horizon.md", "Prediction"),
                 ("docs/results/attention.md", "Attention"), ("docs/results/discretizers.md", "Discretizers"),
                 ("docs/results/search.md", "Search"), ("docs/performance.md", "Speed"),
                 ("docs/learning.md", "Learning curves")]),
    ("Reference", [("docs/datasets.md", "Datasets"), ("docs/environments.md", "Environments"),
                   ("docs/token-layout.md", "Tokens"), ("docs/selection.md", "Selection"),
                   ("docs/compatibility.md", "Compatibility"), ("docs/comparison.md", "Comparison"),
                   ("docs/architecture.md", "Architecture"), ("docs/reliability.md", "Reliability"),
                   ("CHANGELOG.md", "Changelog")]),
]
STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1d1d1f; --dim: #6e6e73; --line: #d9d9de; --link: #0059b8;
  --code: #f4f4f6; }
@media (prefers-color-scheme: dark) { :root { --back: #17171a; --text: #e8e8ed; --dim: #98989f; --line: #3a3a3f;
  --link: #6cb3ff; --code: #232327; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.55 system-ui, sans-serif; display: flex; }
nav { flex: 0 0 13rem; padding: 1.6rem 1.2rem; border-right: 1px solid var(--line); height: 100vh; overflow: auto;
  position: sticky; top: 0; font-size: .9rem; }
nav b { display: block; margin: 1rem 0 .3rem; color: var(--dim); font-weight: 600; }
nav a { display: block; padding: .12rem 0; } nav a.here { font-weight: 600; color: var(--text); }
main { flex: 1; min-width: 0; max-width: 62rem; padding: 1.6rem 2.4rem 4rem; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
h1, h2, h3 { line-height: 1.25; } h2 { margin-top: 2.2rem; }
pre, code { font: .86em ui-monospace, monospace; background: var(--code); border-radius: 4px; }
code { padding: .1em .3em; } pre { padding: .8rem 1rem; overflow: auto; } pre code { padding: 0; }
.table { overflow: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; } [style*=right] { white-space: nowrap; } img, video { max-width: 100%; height: auto; } main img { background: #fff; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border: 0; }
  main { padding: 1rem; } }
"""


def fail(text):
    sys.exit(f"pages: {text}")


def anchor(text):
    """GitHub's anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def place(page):
    """Where a page is written."""
    return "index.html" if page == "README.md" else page.removesuffix(".md") + ".html"


class Pages:
    def __init__(self, folder):
        self.folder = folder
        self.tracked = set(
            subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n"))
        self.waiting = [page for _, entries in MENU for page, _ in entries]
        self.waiting += sorted(
            file for file in self.tracked if file.startswith("docs/") and file.endswith(".md"))
        self.written = {}
        self.copied = set()
        self.links = []

    def write_all(self):
        while self.waiting:
            page = self.waiting.pop(0)
            if page not in self.written:
                self.write(page)
        for page, target, name in self.links:
            if name not in self.written[target]:
                fail(f"{page}: {target} has no heading #{name}")

    def target(self, page, link):
        """Where a link of a page leads in the site; None where it is to be its text alone."""
        if re.match(r"[a-z]+:", link):
            return link
        path, _, name = link.partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
        if (ROOT / file).is_dir() and f"{file}/README.md" in self.tracked:
            file += "/README.md"
        here = posixpath.dirname(place(page))
        if file.endswith(".md") and file in self.tracked:
            self.waiting.append(file)
            if name:
                self.links.append((page, file, name))
            return posixpath.relpath(place(file), here or ".") + (f"#{name}" if name else "")
        if not (ROOT / file).exists():
            fail(f"{page}: the link to {link} leads nowhere")
        source = ROOT / file
        if source.suffix in COPIED and source.stat().st_size <= LARGEST and file in self.tracked:
            if file not in self.copied:
                self.copied.add(file)
                (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, self.folder / file)
            return posixpath.relpath(file, here or ".")
        return None

    def html(self, page, text):
        """HTML of a page, with its pictures and films where they are in the site."""
        return re.sub(
            r'(<(?:img|video|source)[^>]* src=")([^"]+)"',
            lambda match: f'{match[1]}{self.target(page, match[2]) or fail(f"{page}: no picture")}"', text)

    def write(self, page):
        markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
        tokens = markdown.parse((ROOT / page).read_text())
        title, names = page, {}
        for index, token in enumerate(tokens):
            if token.type == "heading_open":
                text = "".join(child.content for child in tokens[index + 1].children)
                name = anchor(text)
                count = names.get(name, 0)
                names[name] = count + 1
                token.attrSet("id", f"{name}-{count}" if count else name)
                if token.tag == "h1":
                    title = text
            if token.type == "html_block":
                token.content = self.html(page, token.content)
            opened = []
            for child in token.children or []:
                if child.type == "link_open":
                    target = self.target(page, child.attrGet("href"))
                    opened.append(target is not None)
                    if target is None:
                        child.hidden, child.type, child.tag, child.nesting, child.attrs = True, "text", "", 0, {}
                    else:
                        child.attrSet("href", target)
                elif child.type == "link_close" and not opened.pop():
                    child.type, child.tag, child.nesting = "text", "", 0
                elif child.type == "html_inline":
                    child.content = self.html(page, child.content)
                elif child.type == "image":
                    child.attrSet("src", self.target(page, child.attrGet("src")) or fail(f"{page}: no picture"))
        self.written[page] = set(names)
        body = markdown.renderer.render(tokens, markdown.options, {})
        body = body.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")
        here = posixpath.dirname(place(page)) or "."
        menu = ""
        for name, entries in MENU:
            menu += f"<b>{name}</b>"
            for file, label in entries:
                mark = ' class="here"' if file == page else ""
                menu += f'<a{mark} href="{posixpath.relpath(place(file), here)}">{label}</a>'
        menu += f'<b>Libraries</b><a href="{posixpath.relpath("documentation", here)}/">Modules</a>'
        file = self.folder / place(page)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{html.escape(title)}</title>'
            f"<style>{STYLE}</style><nav>{menu}</nav><main>{body}</main></html>\n")


def main():
    if len(sys.argv) != 2:
        fail("give the folder to write into")
    pages = Pages(pathlib.Path(sys.argv[1]))
    pages.write_all()
    print(f"{len(pages.written)} pages and {len(pages.copied)} pictures and files in {sys.argv[1]}")


main()
