#!/usr/bin/env python3
"""Measures this project and its Python peers in turn on this machine, and prints the ratios.

    Benchmarks/compare.py training            all shapes and peers, about 30 minutes on 2 cores
    Benchmarks/compare.py planning            all shapes and peers, about 12 minutes on 2 cores
    Benchmarks/compare.py environments        all robots and Gymnasium's vectors, about 10 minutes
    Benchmarks/compare.py sac                 updates of soft actor-critic, about 5 minutes
    Benchmarks/compare.py training --quick    one shape, fewer rounds, within about 2 minutes

In a round each side runs once, and every other round in the opposite order, so that a machine
that slows down or speeds up treats both alike. A figure is the median over rounds, a ratio the
median of the rounds' ratios. All that was measured goes to Benchmarks/results/<name>.json.

The first run installs PyTorch into .deps/python (4 GB on Linux: PyPI's wheel needs CUDA's
libraries even where there is no GPU), or Gymnasium into .deps/gymnasium (200 MB). --python takes
any other interpreter that has them.
"""

import argparse
import datetime
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent
ROOT = BENCHMARKS.parent
PEERS = BENCHMARKS / "python"
DEPENDENCIES = (ROOT / ".deps").resolve()
OURS = "trajectory"


@dataclass(frozen=True)
class Peer:
    """What the other side runs on."""

    name: str
    """For people."""
    folder: str
    """Of its virtual environment, in .deps."""
    requirements: str
    """File of pinned versions."""
    module: str
    """Whose version is recorded."""
    check: str | None = None
    """Script that compares it with the golden data before anything is timed."""


PYTORCH = Peer("PyTorch", "python", "requirements.txt", "torch", "check.py")
GYMNASIUM = Peer("Gymnasium", "gymnasium", "requirements-environments.txt", "gymnasium")


class ComparisonError(Exception):
    """What went wrong and what to do, in one line."""


@dataclass(frozen=True)
class Case:
    """The same work for both sides."""

    name: str
    arguments: list[str]
    peers: list[str]
    """Variants of the peer, as its script calls them."""
    ours: list[str] = field(default_factory=list)
    """Further arguments of our side alone."""


@dataclass(frozen=True)
class Comparison:
    """What is measured, and how."""

    subcommand: str
    """Of `trajectory benchmark`."""
    script: str
    """Of the peers."""
    figure: str
    """Its key in the JSON that both print."""
    unit: str
    higher_is_better: bool
    cases: list[Case]
    rounds: int
    our_arguments: list[str]
    peer_arguments: list[str]
    peer: Peer = PYTORCH
    ceiling: str | None = None
    """The key of what our side could reach at most, if it says so."""

    def speedup(self, ours: float, peer: float) -> float:
        """How many times as fast we are."""
        return ours / peer if self.higher_is_better else peer / ours


def training(quick: bool) -> Comparison:
    """Full training steps at the paper's shapes, with small batches and the paper's."""
    peers = ["eager", "fused"] if quick else ["eager", "fused", "compiled"]
    narrow = ["fused", "autocast"] if quick else ["fused", "autocast", "compiled-autocast"]
    sides: list[tuple[str, list[str], list[str]]] = [("", peers, [])]
    processor = Path("/proc/cpuinfo")
    if processor.exists() and "avx512_bf16" in processor.read_text():
        sides.append((", bfloat16", narrow, ["--precision", "fast"]))
    shapes = ["hopper"] if quick else ["hopper", "halfcheetah"]
    # A step of 256 windows takes the peers up to ten seconds.
    steps = {32: "4"} if quick else {32: "8", 256: "2"}
    return Comparison(
        subcommand="train",
        script="train.py",
        figure="tokens_per_second",
        unit="tokens/s",
        higher_is_better=True,
        cases=[
            Case(
                f"{shape}, batch {batch}{note}",
                ["--shape", shape, "--batch", str(batch), "--steps", count],
                variants,
                ours,
            )
            for note, variants, ours in sides
            for batch, count in steps.items()
            for shape in shapes
        ],
        rounds=3,
        our_arguments=[],
        peer_arguments=["--warm-up", "1"],
    )


def planning(quick: bool) -> Comparison:
    """One decision with the authors' settings."""
    settings = [("halfcheetah", 5, 32)] if quick else [("halfcheetah", 5, 32), ("hopper", 15, 128)]
    return Comparison(
        subcommand="plan",
        script="plan.py",
        figure="seconds_per_plan",
        unit="s/plan",
        higher_is_better=False,
        cases=[
            Case(
                f"{shape}, horizon {horizon}, beam {width}, window {window}",
                ["--shape", shape, "--horizon", str(horizon), "--beam-width", str(width)],
                [peer, "authors"],
                ["--window", window],
            )
            for shape, horizon, width in settings
            for window, peer in [("exact", "cached-exact"), ("cached", "cached-growing")]
        ],
        rounds=2,
        our_arguments=["--plans", "5"],
        peer_arguments=[],
    )


def environments(quick: bool) -> Comparison:
    """Steps of several copies with random actions."""
    names = ["Hopper-v4"] if quick else [
        "Hopper-v4",
        "HalfCheetah-v4",
        "Walker2d-v4",
        "Ant-v4",
        "Humanoid-v4",
        "PointMaze_UMaze-v3",
    ]
    return Comparison(
        subcommand="environments",
        script="environments.py",
        figure="steps_per_second",
        unit="steps/s",
        higher_is_better=True,
        cases=[
            Case(name, ["--env", name], ["single", "sync-8", "async-2", "async-4", "async-8"])
            for name in names
        ],
        rounds=3,
        our_arguments=["--copies", "16"],
        peer_arguments=[],
        peer=GYMNASIUM,
    )


def sac(quick: bool) -> Comparison:
    """Updates of soft actor-critic from random transitions; no environment acts."""
    shapes = ["hopper"] if quick else ["hopper", "halfcheetah", "ant"]
    return Comparison(
        subcommand="sac",
        script="sac.py",
        figure="updates_per_second",
        unit="updates/s",
        higher_is_better=True,
        cases=[
            Case(shape, ["--shape", shape], ["eager", "fused", "compiled"]) for shape in shapes
        ],
        rounds=3 if quick else 5,
        our_arguments=["--seconds", "5"],
        peer_arguments=["--seconds", "5", "--threads", str(os.cpu_count() or 1)],
        # Whose networks are not those of the golden data.
        peer=replace(PYTORCH, check=None),
        ceiling="updates_ceiling",
    )


def run(command: list[str | Path], what: str) -> str:
    """Standard output of a command; its last words are the message where it fails."""
    environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(DEPENDENCIES / "inductor")}
    # Python's MuJoCo leaves its log where it runs.
    DEPENDENCIES.mkdir(exist_ok=True)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=DEPENDENCIES)
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise ComparisonError(f"{what} failed ({shlex.join(map(str, command))}): {words}")
    return done.stdout


def peer_python(peer: Peer) -> Path:
    """An interpreter with the pinned versions, installed if need be."""
    folder = DEPENDENCIES / peer.folder
    python = folder / "bin" / "python"
    requirements = PEERS / peer.requirements
    stamp = folder / "stamp"
    wanted = f"python {platform.python_version()}\n{requirements.read_text()}"
    if not stamp.exists() or stamp.read_text() != wanted:
        note(f"installing {peer.name} and what it needs into {folder} (takes minutes)")
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", folder], "making a virtual environment (python3-venv)")
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        run(
            [python, "-m", "pip", "install", *options, "--requirement", requirements],
            f"installing {peer.name} from PyPI",
        )
        stamp.write_text(wanted)
    return python


def measure(
    comparison: Comparison, case: Case, program: Path, python: Path
) -> dict[str, list[dict]]:
    """What each side printed, round after round; a peer that cannot run is left out."""
    sides = [OURS, *case.peers]
    printed: dict[str, list[dict]] = {side: [] for side in sides}
    for index in range(comparison.rounds):
        for side in sides if index % 2 == 0 else sides[::-1]:
            if any("unavailable" in result for result in printed[side]):
                continue
            if side == OURS:
                command = [program, "benchmark", comparison.subcommand, *case.arguments]
                command += [*case.ours, *comparison.our_arguments, "--json"]
                result = json.loads(run(command, side))
            else:
                command = [python, PEERS / comparison.script, *case.arguments]
                command += [*comparison.peer_arguments, "--variants", side]
                result = json.loads(run(command, f"the peer {side}"))[side]
            printed[side].append(result)
            figure = result.get(comparison.figure)
            shown = "unavailable" if figure is None else f"{number(figure)} {comparison.unit}"
            note(f"{case.name}, round {index + 1} of {comparison.rounds}: {side} {shown}")
    return printed


def summarize(comparison: Comparison, printed: dict[str, list[dict]]) -> dict[str, dict]:
    """Median of each side, all that its rounds printed, and its ratios to ours."""
    ours = [result[comparison.figure] for result in printed[OURS]]
    summary = {}
    for side, results in printed.items():
        if "unavailable" in results[-1]:
            summary[side] = results[-1]
            continue
        figures = [result[comparison.figure] for result in results]
        summary[side] = {comparison.figure: statistics.median(figures), "rounds": results}
        if side != OURS:
            ratios = [comparison.speedup(*pair) for pair in zip(ours, figures)]
            summary[side]["times_as_fast"] = statistics.median(ratios)
            summary[side]["times_as_fast_rounds"] = ratios
    return summary


def table(comparison: Comparison, summaries: dict[str, dict[str, dict]]) -> str:
    """Both sides' figures and the ratios, for people."""
    lines = [f"{'':36}{comparison.unit:>10}   trajectory is faster by (lowest, highest round)"]
    for name, summary in summaries.items():
        lines.append(name)
        for side, result in summary.items():
            label = side if side == OURS else f"{comparison.peer.name}, {side}"
            if "unavailable" in result:
                lines.append(f"  {label:34}{'-':>10}   unavailable: {result['unavailable']}")
                continue
            line = f"  {label:34}{number(result[comparison.figure]):>10}"
            if side != OURS:
                ratios = result["times_as_fast_rounds"]
                line += f"   {number(result['times_as_fast'])}"
                line += f" ({number(min(ratios))}, {number(max(ratios))})"
            elif comparison.ceiling:
                ceiling = statistics.median(r[comparison.ceiling] for r in result["rounds"])
                line += f"   of {number(ceiling)} if it were matrix products alone"
            lines.append(line)
    return "\n".join(lines)


def machine() -> dict[str, str | int | float | None]:
    """What the figures hold for."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "busy_cores_before": busy_cores(),
    }


def busy_cores() -> float | None:
    """How many cores other programs keep busy; None where the system does not say."""
    statistics_file = Path("/proc/stat")
    if not statistics_file.exists():
        return None

    def busy_ticks() -> int:
        user, nice, system = statistics_file.read_text().split()[1:4]
        return int(user) + int(nice) + int(system)

    before, start = busy_ticks(), time.perf_counter()
    time.sleep(2)
    seconds = (busy_ticks() - before) / os.sysconf("SC_CLK_TCK")
    return round(seconds / (time.perf_counter() - start), 2)


def commit() -> str:
    """The commit that is checked out, with a mark if files differ from it."""
    git = ["git", "-C", ROOT]
    try:
        head = run([*git, "rev-parse", "HEAD"], "git").strip()
        return head + ("+changes" if run([*git, "status", "--porcelain"], "git") else "")
    except (ComparisonError, OSError):
        return "unknown"


def number(value: float) -> str:
    """Three significant digits at least, thousands apart."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def note(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def compare(options: argparse.Namespace) -> None:
    """Measures, prints the table, writes the results."""
    kinds = {"training": training, "planning": planning, "environments": environments, "sac": sac}
    comparison = kinds[options.what](options.quick)
    if options.rounds:
        comparison = replace(comparison, rounds=options.rounds)
    options.program = options.program.absolute()
    if not options.program.exists():
        raise ComparisonError(
            f"{options.program} is missing: run `make build`, or name it with --program"
        )
    peer = comparison.peer
    # Absolute, since commands run elsewhere; not resolved, since a link is what makes an environment.
    python = options.python.absolute() if options.python else peer_python(peer)
    versions = f"import platform, {peer.module} as peer; "
    versions += "print(platform.python_version(), peer.__version__)"
    python_version, version = run([python, "-c", versions], f"importing {peer.name}").split()
    if peer.check:
        run([python, PEERS / peer.check], "checking the peers against the golden data")
    result = {
        "what": options.what,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "command": shlex.join(["Benchmarks/compare.py", *sys.argv[1:]]),
        "machine": machine(),
        "versions": {"python": python_version, peer.module: version},
        "rounds": comparison.rounds,
        "unit": comparison.unit,
        "cases": {},
    }
    busy = result["machine"]["busy_cores_before"]
    if busy is not None and busy > 0.2:
        note(f"warning: other programs keep {busy} cores busy; such figures are worth little")
    for case in comparison.cases:
        printed = measure(comparison, case, options.program, python)
        result["cases"][case.name] = summarize(comparison, printed)

    print(table(comparison, result["cases"]))
    name = options.name or options.what + ("-quick" if options.quick else "")
    path = BENCHMARKS / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
    note(f"written to {path.relative_to(ROOT)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["training", "planning", "environments", "sac"])
    parser.add_argument("--quick", action="store_true", help="one shape, fewer rounds")
    parser.add_argument("--rounds", type=int, help="rounds; by default 2 to 5, by what is compared")
    parser.add_argument("--name", help="of the results; what is compared when not given")
    parser.add_argument("--python", type=Path, help="an interpreter with the peers' packages")
    parser.add_argument(
        "--program", type=Path, default=ROOT / ".build" / "release" / "trajectory", help="our side"
    )
    try:
        compare(parser.parse_args())
    except ComparisonError as failure:
        sys.exit(f"error: {failure}")


if __name__ == "__main__":
    main()
