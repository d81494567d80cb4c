"use strict";
// The page of a report: shows the data that it carries.

const element = (id) => document.getElementById(id);
const report = JSON.parse(element("data").textContent);

function make(name, text, className) {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (className) node.className = className;
    return node;
}

const grouped = (text) => /^\d{5,}$/.test(text) ? Number(text).toLocaleString("en") : text;
const redraws = [];

/** Draws now, and again when the size or the theme changes. */
function draws(draw) {
    redraws.push(draw);
    draw();
}

const redraw = () => redraws.forEach((draw) => draw());
addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

function showSettings() {
    for (const [name, value] of report.summary) {
        const fact = make("span", `${name} `);
        fact.append(make("b", grouped(value)));
        element("summary").append(fact);
    }
    for (const group of report.settings) {
        const panel = make("div", undefined, "panel");
        const table = make("table");
        for (const [name, value] of group.entries) {
            const row = table.insertRow();
            row.append(make("td", name), make("td", value));
        }
        panel.append(make("h2", group.name), table);
        element("settings").append(panel);
    }
    for (const note of report.notes) element("notes").append(make("li", note));
}

// MARK: The episode

function showEpisode({ scene, start, steps }) {
    element("episode").hidden = false;
    const track = new Track(scene);
    track.begin(start);
    steps.forEach((step) => track.add(step));
    const last = steps[steps.length - 1];
    const plan = track.plans[0];
    const endings = { terminal: "It ended by itself", timeout: "Time was up" };
    element("episode-text").textContent = `${scene.environment}, seed ${start.seed}: ${track.head} steps, return `
        + `${track.totalReward.toFixed(1)}. ${last && endings[last.ending] || "It was cut"}. `
        + (plan ? `Plans reach ${plan.horizon} steps ahead, with ${plan.beamWidth} beams.` : "");
    const stage = new Stage(element("stage"), scene, track.poses[0]);
    const player = { time: 0, isPlaying: false, last: performance.now() };
    const slider = element("time");
    slider.max = track.head;
    slider.value = 0;
    slider.oninput = () => {
        player.time = Number(slider.value);
        player.isPlaying = false;
        element("play").textContent = "Play";
    };
    element("play").onclick = () => {
        player.isPlaying = !player.isPlaying;
        if (player.time >= track.head) player.time = 0;
        element("play").textContent = player.isPlaying ? "Pause" : "Play";
    };
    const charts = { rewards: new Chart(element("rewards")), values: new Chart(element("values")) };
    const came = track.returns(scene.discount);
    let shown = -1;
    const frame = (now) => {
        const passed = Math.min(0.1, (now - player.last) / 1000);
        player.last = now;
        if (player.isPlaying) {
            player.time = Math.min(track.head, player.time + passed * Number(element("speed").value) / scene.stepDuration);
            slider.value = player.time;
            if (player.time >= track.head) element("play").onclick();
        }
        const moment = track.momentAt(
            player.time, { ghosts: element("ghosts").checked, beams: element("beams").checked });
        stage.draw(moment);
        element("place").textContent = `step ${Math.floor(player.time)} of ${track.head}`;
        if (shown !== player.time) {
            drawCharts(player.time);
            shown = player.time;
        }
        requestAnimationFrame(frame);
    };
    const drawCharts = (time) => {
        const series = (key) => track.steps.map((step, index) => [index, Number(step[key])]);
        const axis = { from: 0, to: Math.max(1, track.head), now: time };
        charts.rewards.draw({ ...axis, lines: [
            { color: "accent", points: series("predictedReward") }, { color: "ink", points: series("reward") }] });
        charts.values.draw({ ...axis, lines: [
            { color: "accent", points: series("predictedValue") },
            { color: "ink", points: came.map((value, index) => [index, value]) }] });
    };
    redraws.push(() => { shown = -1; });
    requestAnimationFrame(frame);
    showForesight(track, scene, came);
}

function showForesight(track, scene, came) {
    const ahead = [];
    for (const plan of track.plans) {
        if (!plan.poses) continue;
        track.unpacked(plan).poses.forEach((pose, index) => {
            const happened = track.poses[plan.step + index];
            if (!happened) return;
            let sum = 0;
            for (let body = 1; body < scene.bodies; body++) {
                const at = 7 * body;
                sum += Math.hypot(pose[at] - happened[at], pose[at + 1] - happened[at + 1], pose[at + 2] - happened[at + 2]);
            }
            (ahead[index] = ahead[index] || []).push(100 * sum / (scene.bodies - 1));
        });
    }
    element("foreseen").hidden = track.head < 2;
    const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const errors = new Chart(element("errors")), scatter = new Chart(element("scatter"));
    const of = (measure) => ahead.map((list, index) => [index, measure(list.slice().sort((a, b) => a - b))]);
    draws(() => errors.draw({
        from: 0, to: Math.max(1, ahead.length - 1), lines: [
            { color: "accent", alpha: 0.5, dash: [3, 3], points: of((list) => quantile(list, 0.25)) },
            { color: "accent", alpha: 0.5, dash: [3, 3], points: of((list) => quantile(list, 0.75)) },
            { color: "accent", width: 2.25, points: of((list) => list.reduce((a, b) => a + b, 0) / list.length) }],
    }));
    const pairs = track.steps.map((step, index) => [Number(step.predictedValue), came[index]])
        .filter((pair) => pair.every(Number.isFinite));
    const all = pairs.flat(), low = Math.min(...all), high = Math.max(...all);
    draws(() => {
        scatter.draw({ from: low, to: high, lines: [
            { color: "soft", width: 1, points: [[low, low], [high, high]] }] });
        const context = scatter.canvas.getContext("2d");
        const [left, right, top, bottom] = [44, 10, 8, 20];
        context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
        context.globalAlpha = 0.35;
        for (const [x, y] of pairs) {
            const px = left + (x - low) / (high - low || 1) * (scatter.width - left - right);
            const py = scatter.height - bottom
                - (y - scatter.range[0]) / (scatter.range[1] - scatter.range[0]) * (scatter.height - top - bottom);
            context.beginPath();
            context.arc(px, py, 2.2, 0, 7);
            context.fill();
        }
        context.globalAlpha = 1;
    });
}

// MARK: Numbers

function showEvaluations() {
    if (!report.evaluations.length) return;
    element("evaluations").hidden = false;
    const body = element("evaluations").querySelector("tbody");
    const within = (mean, interval, digits) => mean === undefined ? "–"
        : mean.toFixed(digits) + (interval ? ` (${interval[0].toFixed(digits)} to ${interval[1].toFixed(digits)})` : "");
    const all = report.evaluations.flatMap((evaluation) => evaluation.returns);
    const low = Math.min(0, ...all), high = Math.max(...all, low + 1e-9);
    for (const evaluation of report.evaluations) {
        const row = body.insertRow();
        row.append(make("td", evaluation.file), make("td", evaluation.environment),
            make("td", evaluation.returns.length, "number"),
            make("td", within(evaluation.mean, evaluation.interval, 0), "number"),
            make("td", within(evaluation.score, evaluation.scoreInterval, 1), "number"));
        const cell = row.insertCell(), canvas = make("canvas", undefined, "strip");
        cell.append(canvas);
        draws(() => drawStrip(canvas, evaluation, low, high));
    }
}

function drawStrip(canvas, { returns, mean, interval }, low, high) {
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue("--" + name).trim();
    const x = (value) => 6 + (value - low) / (high - low) * (width - 12);
    const middle = height / 2;
    context.fillStyle = color("line");
    context.fillRect(6, middle, width - 12, 1);
    if (interval) {
        context.fillStyle = color("accent-soft");
        context.fillRect(x(interval[0]), 3, Math.max(2, x(interval[1]) - x(interval[0])), height - 6);
    }
    context.fillStyle = color("ink");
    context.globalAlpha = 0.55;
    for (const value of returns) {
        context.beginPath();
        context.arc(x(value), middle, 2.6, 0, 7);
        context.fill();
    }
    context.globalAlpha = 1;
    context.fillStyle = color("accent");
    context.fillRect(x(mean) - 1, 3, 2, height - 6);
}

function showCurve() {
    if (!report.curve.length) return;
    element("curve").hidden = false;
    const chart = new Chart(element("losses"));
    const last = report.curve[report.curve.length - 1].tokens;
    draws(() => chart.draw({
        from: 0, to: last, lines: [
            { color: "ink", points: report.curve.map(({ tokens, loss }) => [tokens, Number(loss)]) },
            { color: "accent", width: 2.25, points: report.curve.filter((point) => point.heldOutLoss !== undefined)
                .map(({ tokens, heldOutLoss }) => [tokens, Number(heldOutLoss)]) }],
    }));
}

// MARK: Tokens and attention

/** Pixels of one colour, as strong as numbers from 0 to 1 say. */
function drawPixels(canvas, columns, rows, strength) {
    canvas.width = columns;
    canvas.height = rows;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, columns, rows);
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
    for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
            const share = strength(row, column);
            if (!(share > 0)) continue;
            context.globalAlpha = Math.min(1, share);
            context.fillRect(column, row, 1, 1);
        }
    }
}

function showUsage({ source, dimensions }) {
    element("usage-section").hidden = false;
    element("usage-text").textContent = `How the values of ${source} spread over the bins of each dimension, from the `
        + "first bin to the last; the number is how many bins, evenly used, would tell as much.";
    for (const { name, counts, effectiveBins } of dimensions) {
        const row = element("usage").insertRow();
        const canvas = make("canvas");
        const cell = make("td");
        cell.style.width = "100%";
        cell.append(canvas);
        const label = make("td", name, "soft");
        label.style.whiteSpace = "nowrap";
        row.append(label, cell, make("td", effectiveBins.toFixed(0), "number"));
        const most = Math.max(1, ...counts);
        draws(() => drawPixels(canvas, counts.length, 1, (_, bin) => counts[bin] ? 0.08 + 0.92 * counts[bin] / most : 0));
    }
}

function showAttention({ source, tokens, heads }) {
    element("attention").hidden = false;
    element("attention-text").textContent = `Averaged over windows of ${source}: across, the token that is looked at; `
        + "downwards, the token that looks to predict the next. Below each head, what of the last transition's "
        + "attention stays on the present and the last transition, and what of predicting actions goes to earlier actions.";
    for (const head of heads) {
        const figure = make("figure"), canvas = make("canvas");
        const percent = (share) => `${Math.round(100 * share)} %`;
        figure.append(canvas, make(
            "figcaption", `${head.name}: ${percent(head.recent)} recent, ${percent(head.pastActions)} on past actions`));
        element("heads").append(figure);
        const weights = unpack(head.weights);
        draws(() => drawPixels(canvas, tokens, tokens, (row, column) =>
            Math.sqrt(weights[row * tokens + column] * Math.min(1, tokens / 24))));
    }
}

showSettings();
if (report.episode) showEpisode(report.episode);
showEvaluations();
showCurve();
if (report.usage) showUsage(report.usage);
if (report.attention) showAttention(report.attention);
