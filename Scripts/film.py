#!/usr/bin/env python3
"""The film of the README: the live page in headless Chromium, step by step, with a push.

    film.py TOOL OUTPUT [--seed N] [--push STEP:FORCE]... [--frames N]

TOOL is the built `trajectory`, beside which `make server` has put the program of the page; OUTPUT is an animated WebP
of at most 3 MB. Every frame is two steps, shown when they were drawn, so that the film is the same on any machine but
for how wide its searches are. Needs Chromium and ffmpeg; run by `make film`.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from browser import Page
from listening import Listening

ROOT = Path(__file__).resolve().parent.parent
RATE = 20
MOST_BYTES = 3_000_000
# Resolves once so many steps are known and drawn.
SHOWN = """new Promise(done => {
    const look = () => live.track.head >= %d || live.track.steps.some(step => step.ending)
        ? requestAnimationFrame(() => requestAnimationFrame(() => done(live.track.head))) : setTimeout(look, 4);
    look();
})"""


def record(address, folder, options, pushes):
    """Takes a picture of every second step."""
    with Page(address, 1130, 650) as page:
        page.wait("live.stage && live.controls")
        # The controls of the page are small in a film: what is drawn alone.
        clip = page.value(
            "(() => { const b = document.querySelector('main').getBoundingClientRect();"
            " return { x: b.x - 8, y: b.y - 8, width: b.width + 16, height: b.height + 16 }; })()")
        steps = 0

        def advance(count):
            nonlocal steps
            while count > 0:
                part = min(count, 100)
                page.value(f"send({{ type: 'step', count: {part} }})")
                steps += part
                count -= part
                assert page.value(SHOWN % steps) >= steps, f"the episode ended at step {steps}"

        advance(options.first)
        for frame in range(options.frames):
            for step in (steps, steps + 1):
                if str(step) in pushes:
                    page.value(f"element('force').value = {abs(float(pushes[str(step)]))};"
                               f" push({1 if float(pushes[str(step)]) > 0 else -1})")
            advance(2)
            page.screenshot(f"{folder}/{frame:04}.png", clip)
            print(f"\r{frame + 1} of {options.frames} frames", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        assert not page.complaints, page.complaints


def encode(folder, frames, output):
    """Packs the pictures at the best quality that keeps within the bytes."""
    for quality in (85, 75, 65, 50):
        subprocess.run(
            ["ffmpeg", "-y", "-loglevel", "error", "-framerate", str(RATE), "-i", f"{folder}/%04d.png", "-c:v",
             "libwebp_anim", "-lossless", "0", "-quality", str(quality), "-compression_level", "3", "-loop", "0",
             output], check=True)
        size = os.path.getsize(output)
        if size <= MOST_BYTES:
            print(f"{output}: {size / 1e6:.2f} MB, {frames / RATE:.0f} s")
            return
    sys.exit(f"{output} has {size} bytes; give fewer --frames")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("output")
    parser.add_argument("--checkpoint", default=str(ROOT / "Checkpoints/hopper"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--push", action="append", default=[], help="STEP:FORCE, in multiples of the weight")
    parser.add_argument("--first", type=int, default=60, help="steps before the film begins")
    parser.add_argument("--frames", type=int, default=180)
    parser.add_argument("--horizon", default="20")
    parser.add_argument("--beam-width", default="32")
    options = parser.parse_args()
    pushes = dict(push.split(":") for push in options.push or ["200:-0.5"])

    with tempfile.TemporaryDirectory() as folder:
        with Listening(
            options.tool, "live", options.checkpoint, "--no-browser", "--paused", "--seed", str(options.seed),
            "--horizon", options.horizon, "--beam-width", options.beam_width,
        ) as live:
            record(live.address, folder, options, pushes)
        encode(folder, options.frames, options.output)


main()
