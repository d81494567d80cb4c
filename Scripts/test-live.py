#!/usr/bin/env python3
"""The live page and a report in headless Chromium: steps come, controls do what they say, nonsense ends nothing.

    test-live.py TOOL [--pictures FOLDER] [NAME...]

TOOL is the built `trajectory`, beside which `make server` has put the program of the page; NAMEs choose some of the
checks. Run by `make test-live`.
"""
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import websockets.exceptions
import websockets.sync.client
from browser import Page
from listening import Listening

ROOT = Path(__file__).resolve().parent.parent
arguments = sys.argv[1:]
PICTURES = None
if "--pictures" in arguments:
    at = arguments.index("--pictures")
    PICTURES = Path(arguments[at + 1])
    PICTURES.mkdir(parents=True, exist_ok=True)
    del arguments[at : at + 2]
TOOL, NAMES = arguments[0], arguments[1:]


class Live(Listening):
    """The program of the page."""

    def __init__(self, *options, checkpoint="Checkpoints/hopper"):
        super().__init__(TOOL, "live", ROOT / checkpoint, "--no-browser", *options)

    def socket(self, path="/live", **options):
        return websockets.sync.client.connect(
            f"ws://127.0.0.1:{self.port}{path}", max_size=None, max_queue=None, **options)

    def status(self, *options, path="/"):
        return self.curl(path, *options)[0]


def picture(page, name):
    if PICTURES:
        page.screenshot(PICTURES / f"{name}.png")


def check_page():
    """The page in a browser: drawing, controls, keys, pushes."""
    with Live() as live, Page(live.address) as page:
        page.wait("live.track && live.track.head > 20")
        assert page.value("element('title').textContent") == "hopper"
        # Something is drawn: not one colour alone.
        assert page.value(
            "new Set(element('stage').getContext('2d').getImageData(0, 0, element('stage').width,"
            " element('stage').height).data).size") > 30
        # Frames are drawn whatever the planner does.
        frames = page.value(
            "new Promise(done => { let n = 0; const until = performance.now() + 1000; const f = () => {"
            " n++; performance.now() < until ? requestAnimationFrame(f) : done(n); }; f(); })")
        print(f"  {frames} frames a second")
        assert frames > 15
        picture(page, "hopper")

        page.click("#run")
        page.wait("!live.controls.isRunning && element('run').textContent === 'Run'")
        head = page.value("live.track.head")
        page.click("#step")
        page.wait(f"live.track.head === {head + 1}")
        time.sleep(0.3)
        assert page.value("live.track.head") == head + 1
        page.key(".")
        page.wait(f"live.track.head === {head + 2}")

        page.choose("#seed", "7")
        page.click("#reset")
        page.wait("live.track.start.seed === 7 && live.track.head === 0")
        assert page.value("live.controls.isRunning") is False

        page.choose("#horizon", "12")
        page.choose("#beam", "5")
        page.choose("#follow", "1")
        page.wait("live.controls.search.horizon === 12 && live.controls.search.beamWidth === 32")
        page.click("#step")
        page.wait("live.track.plans.length === 1")
        assert page.value("[live.track.plans[0].horizon, live.track.plans[0].beamWidth]") == [12, 32]
        assert page.value("live.track.momentAt(0).ghosts.length") == 4
        assert page.value("live.track.momentAt(0).beams.length") > 8

        page.choose("#deadline", "8")
        page.wait("live.controls.search.deadlineMilliseconds === 8")
        page.choose("#objective", "likelihood")
        page.wait("live.controls.search.objective === 'likelihood'")
        page.choose("#objective", "expectedReturn")
        page.wait("live.controls.search.objective === 'expectedReturn'")
        assert page.value("element('objective').querySelector('[value=q]').disabled") is True
        page.choose("#speed", "-2")
        page.wait("live.controls.speed === 0.25")
        page.choose("#speed", "0")

        # A push: by button, by key, by hand.
        for push in (lambda: page.click("#push-right"), lambda: page.key("ArrowLeft"), lambda: drag_robot(page)):
            page.click("#reset")
            page.wait("live.track.head === 0")
            push()
            time.sleep(0.2)
            page.click("#step")
            page.wait("live.track.head === 1")
            assert page.value("live.track.steps[0].force !== undefined"), "no push"

        page.key(" ")
        page.wait("live.controls.isRunning")
        head = page.value("live.track.head")
        page.wait(f"live.track.head > {head + 10}")
        page.theme(True)
        time.sleep(0.5)
        picture(page, "hopper-dark")
        page.size(420, 900)
        time.sleep(0.5)
        assert page.value("document.documentElement.scrollWidth <= 420"), "a narrow page scrolls to the side"
        picture(page, "hopper-narrow")
        assert not page.complaints, page.complaints

        # The program ends, the page says so.
        live.process.send_signal(signal.SIGTERM)
        assert live.process.wait(10) == 0
        page.wait("element('notice').classList.contains('shown')")


def drag_robot(page):
    x, y = page.value(
        "(() => { const box = element('stage').getBoundingClientRect(); const at = 7 * live.scene.root;"
        " const [x, y] = live.stage.camera.project(live.track.poseAt(live.play).subarray(at, at + 3));"
        " return [box.x + x, box.y + y]; })()")
    page.drag(x, y, x + 120, y - 20)


def check_robots():
    """Another robot."""
    with Live(checkpoint="Checkpoints/halfcheetah-medium") as live, Page(live.address, dark=True) as page:
        page.wait("live.track && live.track.head > 20")
        picture(page, "halfcheetah")
        assert not page.complaints, page.complaints


def check_mazes():
    """A point and an ant in their mazes: all of the ground is seen, the robot is no dot, a click sets the goal."""
    for name, dataset, place in (
        ("maze", ["pointmaze-umaze@5", "--until-goal", "--steps", "20000"], [-1, -1]),
        ("antmaze", ["antmaze-umaze", "--steps", "2000"], [8, 0]),
    ):
        with (
            tempfile.TemporaryDirectory() as folder,
            Live("--objective", "imitation", "--horizon", "4", "--beam-width", "8", checkpoint=maze(folder, dataset))
            as live, Page(live.address) as page,
        ):
            page.wait("live.track && live.track.head > 3", 60)
            assert page.value("live.scene.view") == "above"
            # Corners of the ground between the walls, which are a cell thick, and the upper edge of the wall behind.
            low, high, length = page.value(
                "(() => { const { x, y } = live.scene.ground, { camera, walls } = live.stage, size = walls[0].size;"
                " const corner = (side, height) => camera.project([x, y].map(([low, high]) =>"
                " side < 0 ? low + 2 * size[0] : high - 2 * size[0]).concat(height));"
                " return [corner(-1, 0), corner(1, 2 * size[2]), live.stage.length * camera.scale]; })()")
            width, height = page.value("[live.stage.width, live.stage.size]")
            assert 0 < low[0] < high[0] < width and 0 < high[1] < low[1] < height, (low, high, width, height)
            assert length > 20, f"the robot is {length} points long"
            x, y = page.value(
                "(() => { const box = element('stage').getBoundingClientRect();"
                f" const [x, y] = live.stage.camera.project([{place[0]}, {place[1]}, 0]);"
                " return [box.x + x, box.y + y]; })()")
            page.drag(x, y, x, y)
            goal = page.wait(f"live.track.head && Math.abs(live.track.steps[live.track.head - 1].goal[0] - {place[0]})"
                             " < 0.05 && live.track.steps[live.track.head - 1].goal", 60)
            assert abs(goal[1] - place[1]) < 0.05, goal
            time.sleep(1)
            picture(page, name)
            assert not page.complaints, page.complaints


def maze(folder, dataset):
    """A model of a small maze, trained in less than a minute."""
    data, run = f"{folder}/maze.hdf5", f"{folder}/maze"
    for command in (
        ["collect", "--dataset", *dataset, "--output", data],
        ["train", "--dataset", data, "--output", run, "--goal-columns", "0,1", "--window", "2", "--bins", "20", "--layers",
         "2", "--width", "64", "--batch-size", "64", "--learning-rate", "2e-3", "--steps", "300"],
    ):
        done = subprocess.run([TOOL, *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return run


def check_report():
    """A report as a file: it plays its episode, and shows what it carries."""
    with tempfile.TemporaryDirectory() as folder:
        evaluation, output = f"{folder}/evaluation.json", f"{folder}/report.html"
        printed = subprocess.run(
            [TOOL, "evaluate", "--checkpoint", str(ROOT / "Checkpoints/hopper"), "--episodes", "3", "--maximum-steps", "40",
             "--parallel", "3", "--json"], capture_output=True, text=True, check=True)
        Path(evaluation).write_text(printed.stdout)
        subprocess.run(
            [TOOL, "report", str(ROOT / "Checkpoints/hopper"), "--output", output, "--evaluation", evaluation,
             "--maximum-steps", "60", "--horizon", "8"], check=True, capture_output=True)
        with Page(f"file://{output}") as page:
            page.wait("typeof report !== 'undefined' && element('summary').textContent.includes('parameters')")
            for section in ("episode", "foreseen", "evaluations", "usage-section", "attention"):
                assert page.value(f"element({section!r}).hidden") is False, section
            # The shipped checkpoint has no curve, and the page says so.
            assert page.value("element('curve').hidden && element('notes').textContent.includes('learning curve')")
            assert page.value("document.querySelectorAll('#evaluations tbody tr').length") == 1
            page.click("#play")
            page.wait("Number(element('time').value) > 10")
            page.click("#play")
            assert page.value("element('play').textContent") == "Play"
            page.wait("/step [1-9]\\d* of 60/.test(element('place').textContent)")
            page.wait(
                "new Set(element('stage').getContext('2d').getImageData(0, 0, element('stage').width,"
                " element('stage').height).data).size > 30")
            page.size(1180, page.value("document.documentElement.scrollHeight"))
            time.sleep(0.5)
            picture(page, "report")
            assert not page.complaints, page.complaints


def check_strangers():
    """Who is no page of this machine is refused; the rest goes on."""
    with Live() as live:
        assert live.status() == 200
        own = ["-H", f"Origin: {live.address}"]
        assert live.status(*own) == 200
        assert live.status("-H", "Host: localhost:9") == 200, "as behind a tunnel"
        for header in ("Host: evil.example", f"Host: evil.example:{live.port}", "Host:", "Host: 127.0.0.1.evil.example",
                       "Origin: http://evil.example", "Origin: null", f"Origin: http://localhost:{live.port}"):
            assert live.status("-H", header) in (403, 400), header
        assert live.status(path="/etc/passwd") == 404
        assert live.status("-X", "POST", "-d", "x") == 405
        live.socket(origin=live.address).close()
        live.socket(path="/live?x=1").close()
        for options in ({"origin": "http://evil.example"}, {"path": "/"}, {"path": "/other"}):
            try:
                live.socket(**options).close()
            except websockets.exceptions.InvalidStatus:
                continue
            raise AssertionError(f"{options} were let in")
        assert live.process.poll() is None


def check_nonsense():
    """Five thousand malformed messages end nothing."""
    seed = random.randrange(1 << 30)
    print(f"  seed {seed}")
    draw = random.Random(seed)
    good = [
        {"type": "step", "count": 2}, {"type": "search", "horizon": 4, "beamWidth": 8}, {"type": "reset", "seed": 3},
        {"type": "push", "force": [1, 0, 0], "steps": 2}, {"type": "goal", "goal": [0, 1]}, {"type": "speed", "speed": 1},
    ]

    def mutated():
        message = dict(draw.choice(good))
        key = draw.choice(list(message))
        message[key] = draw.choice([None, -1, 1e300, "x" * draw.randrange(50), [], {}, [[]], True, 2**70, 0.5])
        text = json.dumps(message)
        if draw.random() < 0.5:
            at = draw.randrange(len(text))
            text = text[:at] + draw.choice(["", "\x00", "{", "]", '"', "é", "\u202e"]) + text[at + draw.randrange(3) :]
        return text if draw.random() < 0.8 else text.encode()[: draw.randrange(len(text))]

    with Live("--paused") as live:
        for _ in range(50):
            with live.socket() as socket:
                for _ in range(100):
                    socket.send(mutated())
        # Too long, and not text at all.
        with live.socket() as socket:
            socket.send("x" * 100_000)
            try:
                while True:
                    socket.recv(timeout=10)
            except websockets.exceptions.ConnectionClosed as closed:
                assert closed.rcvd.code == 1009, closed
        with live.socket() as socket:
            assert json.loads(socket.recv(timeout=10))["type"] == "scene"
            socket.send(json.dumps({"type": "reset", "seed": 12345}))
            while True:
                message = json.loads(socket.recv(timeout=30))
                if message["type"] == "start" and message["seed"] == 12345:
                    break
        assert live.process.poll() is None


CHECKS = {name.removeprefix("check_"): value for name, value in list(globals().items()) if name.startswith("check_")}
for name in NAMES or CHECKS:
    print(name, flush=True)
    CHECKS[name]()
print("the live page holds")
