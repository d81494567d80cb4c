#!/usr/bin/env python3
"""How far the ranking of `trajectory select` agrees with real returns.

    selection.py NAME=RANKING.json:FOLDER [...]

RANKING.json is what `trajectory select --json` printed of policies in FOLDER, where each POLICY.safetensors has its
POLICY.eval.json, what `trajectory evaluate --json` printed of it. Prints a table in Markdown: Spearman's rank
correlation, the score of the first choice, and that of the best there was.
"""
import json
import pathlib
import sys


def ranks(values):
    """Ranks from 1, the mean of them where values are equal."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and values[order[end + 1]] == values[order[at]]:
            end += 1
        for place in order[at : end + 1]:
            result[place] = (at + end) / 2 + 1
        at = end + 1
    return result


def correlation(a, b):
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    both = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b))
    return both / (sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b)) ** 0.5


def main(arguments):
    print("| data | candidates | rank correlation | first choice | best there was |")
    print("|---|---:|---:|---:|---:|")
    details = []
    for argument in arguments:
        name, place = argument.split("=", 1)
        ranking, folder = place.split(":", 1)
        rows = []
        for candidate in json.loads(pathlib.Path(ranking).read_text())["candidates"]:
            stem = pathlib.Path(candidate["name"]).stem
            report = json.loads((pathlib.Path(folder) / f"{stem}.eval.json").read_text())
            rows.append((stem, candidate["value"], candidate["action_distance"], report["normalized_score"]))
        values, scores = [row[1] for row in rows], [row[3] for row in rows]
        rho = correlation(ranks(values), ranks(scores))
        print(f"| {name} | {len(rows)} | {rho:.2f} | {rows[0][3]:.1f} | {max(scores):.1f} |")
        details += ["", f"{name}:", "", "| candidate | value | distance | real score |", "|---|---:|---:|---:|"]
        details += [f"| {row[0]} | {row[1]:.1f} | {row[2]:.2f} | {row[3]:.1f} |" for row in rows]
    print("\n".join(details))


main(sys.argv[1:])
