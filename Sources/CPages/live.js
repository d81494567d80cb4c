"use strict";
// The live page: what the program tells is drawn, what is pressed is told to it.

const element = (id) => document.getElementById(id);
const live = { socket: null, scene: null, stage: null, track: null, controls: null, play: 0, drag: null };
const charts = { rewards: new Chart(element("rewards")), values: new Chart(element("values")) };
const shown = { steps: 200 };

// MARK: What the program tells

function connect() {
    const socket = new WebSocket(`ws://${location.host}/live`);
    live.socket = socket;
    socket.onmessage = (event) => receive(JSON.parse(event.data));
    socket.onclose = () => {
        notice("The program has ended, or is not reached.", true, Infinity);
        setTimeout(connect, 1500);
    };
}

function receive(message) {
    switch (message.type) {
    case "scene":
        live.scene = message;
        live.stage = null;
        live.track = new Track(message);
        element("title").textContent = message.checkpoint;
        element("environment").textContent = message.environment;
        document.title = `${message.checkpoint} – live`;
        element("stage-legend").hidden = !message.foresees;
        if (message.critic) {
            const option = element("objective").querySelector("[value=q]");
            option.hidden = option.disabled = false;
        }
        element("hint").textContent = message.view === "side" ? "Or drag the robot."
            : message.view === "above" ? "A click in the maze sets the goal."
                : "Or drag the robot; beside it a drag turns the view.";
        notice("");
        break;
    case "controls":
        live.controls = message;
        showControls();
        break;
    case "start":
        live.track.begin(message);
        live.play = 0;
        if (!live.stage) live.stage = new Stage(element("stage"), live.scene, live.track.poses[0]);
        if (document.activeElement !== element("seed")) element("seed").value = message.seed;
        break;
    case "step":
        if (live.track.add(message)) noteStep(message);
        break;
    case "error":
        notice(message.text, true, 6000);
        break;
    }
}

/** Steps a second, of the last few dozen. */
const pace = { rate: 30, interval: 33, last: 0 };

function noteStep(step) {
    const now = performance.now(), passed = now - pace.last;
    pace.last = now;
    if (passed < 1500) pace.interval += 0.05 * (passed - pace.interval);
    pace.rate = 1000 / Math.max(pace.interval, 1);
    if (step.ending === "terminal") notice(`Ended after ${step.step} steps, return ${step.totalReward.toFixed(0)}`);
    else if (step.ending) notice(`Time is up, return ${step.totalReward.toFixed(0)}`);
}

let noticeTimer = 0;

function notice(text, isWrong = false, milliseconds = 2500) {
    const box = element("notice");
    clearTimeout(noticeTimer);
    if (text) box.textContent = text;
    box.classList.toggle("shown", text !== "");
    box.classList.toggle("wrong", isWrong);
    if (text && milliseconds < Infinity) noticeTimer = setTimeout(() => box.classList.remove("shown"), milliseconds);
}

// MARK: What is pressed

function send(message) {
    if (live.socket && live.socket.readyState === WebSocket.OPEN) live.socket.send(JSON.stringify(message));
}

const slow = (exponent) => 2 ** Number(exponent);
const wide = (exponent) => 2 ** Number(exponent);

function showControls() {
    const { isRunning, search, speed } = live.controls;
    element("run").textContent = isRunning ? "Pause" : "Run";
    const set = (id, value) => {
        if (document.activeElement !== element(id) || element(id).type !== "range") element(id).value = value;
    };
    element("horizon").max = Math.max(40, search.horizon);
    element("beam").max = Math.max(8, Math.ceil(Math.log2(search.beamWidth)));
    set("horizon", search.horizon);
    set("beam", Math.log2(search.beamWidth));
    set("follow", search.replanInterval);
    set("speed", Math.log2(speed));
    const deadline = element("deadline"), wanted = search.deadlineMilliseconds ?? "";
    if (![...deadline.options].some((option) => option.value === String(wanted))) {
        deadline.add(new Option(`${wanted} ms`, wanted));
    }
    deadline.value = wanted;
    element("objective").value = search.objective;
    label();
}

function label() {
    element("horizon-shown").textContent = element("horizon").value;
    const width = live.controls && Math.abs(Math.log2(live.controls.search.beamWidth) - element("beam").value) < 0.5
        ? live.controls.search.beamWidth : wide(element("beam").value);
    element("beam-shown").textContent = width;
    element("follow-shown").textContent = element("follow").value;
    const speed = slow(element("speed").value);
    element("speed-shown").textContent = speed === 1 ? "as in life" : `1/${Math.round(1 / speed)}`;
    element("force-shown").textContent = `${Number(element("force").value).toFixed(1)} × its weight`;
}

function push(direction) {
    const { weight, view, stepDuration } = live.scene;
    const size = Number(element("force").value) * weight * direction;
    const right = view === "side" ? [1, 0, 0] : live.stage.camera.right;
    send({ type: "push", force: right.map((number) => number * size), steps: pushSteps(stepDuration) });
}

const pushSteps = (stepDuration) => Math.max(1, Math.round(0.12 / stepDuration));
const toggle = () => send({ type: live.controls.isRunning ? "pause" : "run" });

function reset() {
    const seed = Number(element("seed").value);
    if (!Number.isSafeInteger(seed) || seed < 0) return notice("A seed is a whole number from 0 up.", true);
    send({ type: "reset", seed });
}

element("run").onclick = toggle;
element("step").onclick = () => send({ type: "step", count: 1 });
element("reset").onclick = reset;
element("seed").onkeydown = (event) => { if (event.key === "Enter") reset(); };
element("push-left").onclick = () => push(-1);
element("push-right").onclick = () => push(1);
for (const id of ["horizon", "beam", "follow", "speed", "force"]) element(id).oninput = label;
element("horizon").onchange = () => send({ type: "search", horizon: Number(element("horizon").value) });
element("beam").onchange = () => send({ type: "search", beamWidth: wide(element("beam").value) });
element("follow").onchange = () => send({ type: "search", replanInterval: Number(element("follow").value) });
element("speed").onchange = () => send({ type: "speed", speed: slow(element("speed").value) });
element("objective").onchange = () => send({ type: "search", objective: element("objective").value });
element("deadline").onchange = () =>
    send({ type: "search", deadlineMilliseconds: Number(element("deadline").value) });

document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = {
        " ": toggle, ".": () => element("step").click(), r: reset,
        ArrowLeft: () => push(-1), ArrowRight: () => push(1),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
});

// MARK: The canvas

function place(event) {
    const box = element("stage").getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
}

element("stage").onpointerdown = (event) => {
    if (!live.stage || !live.track.poses.length) return;
    const [x, y] = place(event), { view } = live.scene;
    if (view === "above") {
        send({ type: "goal", goal: live.stage.camera.ground(x, y) });
        return;
    }
    const grips = live.stage.isNear(x, y, live.track.poseAt(live.play));
    if (!grips && view === "side") return;
    event.target.setPointerCapture(event.pointerId);
    live.drag = { grips, from: [x, y], to: [x, y] };
};
element("stage").onpointermove = (event) => {
    if (!live.drag) return;
    const at = place(event);
    if (!live.drag.grips) {
        const { camera } = live.stage;
        camera.turn(camera.azimuth - 0.4 * (at[0] - live.drag.to[0]), camera.elevation + 0.3 * (at[1] - live.drag.to[1]));
    }
    live.drag.to = at;
};
element("stage").onpointerup = () => {
    const drag = live.drag;
    live.drag = null;
    if (!drag || !drag.grips) return;
    const { camera } = live.stage, { weight, stepDuration } = live.scene;
    const [across, up] = [drag.to[0] - drag.from[0], drag.from[1] - drag.to[1]].map((pixels) =>
        3 * weight * pixels / (live.stage.size / 2));
    const force = [0, 1, 2].map((axis) => across * camera.right[axis] + up * camera.up[axis]);
    if (live.scene.view === "side") force[1] = 0;
    if (Math.hypot(...force) > 0.05 * weight) send({ type: "push", force, steps: pushSteps(stepDuration) });
};
element("stage").onpointercancel = () => { live.drag = null; };
element("stage").onwheel = (event) => {
    if (!live.stage) return;
    event.preventDefault();
    live.stage.zoom = Math.max(0.4, Math.min(3, live.stage.zoom * Math.exp(-0.001 * event.deltaY)));
};

// MARK: Drawing

let lastFrame = performance.now();

function frame(now) {
    const passed = Math.min(0.1, (now - lastFrame) / 1000);
    lastFrame = now;
    const { track, stage, controls } = live;
    if (stage && track.poses.length) advance(passed, track, controls);
    if (stage && track.poses.length && isStirring()) {
        const moment = track.momentAt(live.play, { ghosts: element("ghosts").checked, beams: element("beams").checked });
        moment.drag = live.drag && live.drag.grips ? live.drag : null;
        stage.draw(moment);
        drawCharts(track);
        showFacts(track);
    }
    requestAnimationFrame(frame);
}

const lately = { shown: "", frames: 0 };

/** Whether what is shown has changed within the last second: what stands still is not drawn again and again. */
function isStirring() {
    const { track, stage, drag, play } = live, { azimuth, elevation } = stage.camera;
    const shown = [
        play, track.head, track.start.episode, drag && drag.to, azimuth, elevation, stage.zoom, innerWidth, innerHeight,
        matchMedia("(prefers-color-scheme: dark)").matches, element("ghosts").checked, element("beams").checked,
    ].join();
    lately.frames = shown === lately.shown ? lately.frames + 1 : 0;
    lately.shown = shown;
    return lately.frames < 60;
}

/** The shown moment follows the newest step a little behind, so that between two steps there is always a next one. */
function advance(passed, track, controls) {
    const behind = track.head - live.play;
    if (!controls || !controls.isRunning || behind > 40) {
        live.play = controls && controls.isRunning ? track.head - 2 : track.head;
        return;
    }
    const wanted = Math.max(1.2, 0.03 * pace.rate);
    const rate = pace.rate * Math.max(0, 1 + 0.35 * (behind - wanted));
    live.play = Math.max(live.play, Math.min(track.head, live.play + passed * rate));
}

function drawCharts(track) {
    const plan = track.planAt(live.play), now = Math.floor(live.play);
    const to = Math.max(shown.steps * 0.9, now) + shown.steps * 0.1, from = to - shown.steps;
    const first = Math.max(0, Math.floor(from)), steps = track.steps.slice(first, now);
    const line = (color, points, more) => ({ color, points, ...more });
    const ahead = plan ? plan.rewards.map((reward, index) => [plan.step + index, Number(reward)])
        .filter(([step]) => step >= now - 1) : [];
    const isAhead = { dash: [2, 3] }, until = plan ? plan.step + plan.horizon : now;
    charts.rewards.draw({
        from, to, now, until, calm: true, lines: [
            line("accent", ahead, isAhead),
            line("accent", steps.map((step, index) => [first + index, Number(step.predictedReward)])),
            line("ink", steps.map((step, index) => [first + index, Number(step.reward)])),
        ],
    });
    const came = track.returns(live.scene.discount);
    const values = plan ? plan.values.map((value, index) =>
        [plan.step + index, Number(plan.rewards[index]) + live.scene.discount * Number(value)])
        .filter(([step]) => step >= now - 1) : [];
    charts.values.draw({
        from, to, now, until, calm: true, lines: [
            line("accent", values, isAhead),
            line("accent", steps.map((step, index) => [first + index, Number(step.predictedValue)])),
            line("ink", steps.map((_, index) => [first + index, came[first + index]])),
        ],
    });
}

function showFacts(track) {
    const plan = track.plans[track.plans.length - 1];
    element("episode").textContent = track.start.episode;
    element("steps").textContent = track.head;
    element("return").textContent = track.totalReward.toFixed(1);
    element("plan").textContent = plan
        ? `${plan.horizon} × ${plan.beamWidth} in ${plan.milliseconds.toFixed(plan.milliseconds < 10 ? 1 : 0)} ms` : "–";
}

connect();
requestAnimationFrame(frame);
