"use strict";
// Lines over a common axis, on a canvas.

class Chart {
    constructor(canvas) {
        this.canvas = canvas;
        this.range = null;
    }

    /**
     * Draws lines.
     *
     * lines: { points: [[x, y], …], color: a name of the theme, dash, width }; from, to: the axis; now: where the
     * present is; until: how far ahead is looked; calm: whether the range of y changes gently.
     */
    draw({ lines, from, to, now, until, calm = false }) {
        const context = this.fit();
        const style = getComputedStyle(document.documentElement);
        const color = (name) => style.getPropertyValue("--" + name).trim();
        const [left, right, top, bottom] = [44, 10, 8, 20];
        const range = this.rangeOf(lines, from, to, calm);
        const x = (value) => left + (value - from) / (to - from || 1) * (this.width - left - right);
        const y = (value) => this.height - bottom
            - (value - range[0]) / (range[1] - range[0]) * (this.height - top - bottom);
        context.clearRect(0, 0, this.width, this.height);
        context.font = "11px system-ui, 'Noto Sans', 'DejaVu Sans', sans-serif";
        context.lineJoin = "round";
        context.fillStyle = color("soft");
        context.strokeStyle = color("line");
        context.lineWidth = 1;
        context.textBaseline = "middle";
        context.textAlign = "right";
        for (const tick of Chart.ticks(range, 4)) {
            context.beginPath();
            context.moveTo(left, Math.round(y(tick)) + 0.5);
            context.lineTo(this.width - right, Math.round(y(tick)) + 0.5);
            context.stroke();
            context.fillText(Chart.text(tick), left - 8, y(tick));
        }
        context.textBaseline = "alphabetic";
        context.textAlign = "center";
        const ticks = Chart.ticks([from, to], 6);
        for (const tick of ticks) {
            if (x(tick) < left + 8 || x(tick) > this.width - right - 12) continue;
            context.fillText(Chart.text(tick), x(tick), this.height - 5);
        }
        context.save();
        context.beginPath();
        context.rect(left, 0, this.width - left - right, this.height - bottom + 1);
        context.clip();
        if (now !== undefined) {
            context.fillStyle = color("accent-soft");
            if (until > now) context.fillRect(x(now), top, x(until) - x(now), this.height - top - bottom);
            context.fillStyle = color("accent");
            context.fillRect(Math.round(x(now)), top, 1, this.height - top - bottom);
        }
        for (const line of lines) {
            context.strokeStyle = color(line.color);
            context.lineWidth = line.width || 1.75;
            context.setLineDash(line.dash || []);
            context.globalAlpha = line.alpha || 1;
            context.beginPath();
            let isDown = false;
            for (const [px, py] of line.points) {
                if (!Number.isFinite(py)) {
                    isDown = false;
                    continue;
                }
                isDown ? context.lineTo(x(px), y(py)) : context.moveTo(x(px), y(py));
                isDown = true;
            }
            context.stroke();
        }
        context.restore();
    }

    fit() {
        const ratio = window.devicePixelRatio || 1;
        [this.width, this.height] = [this.canvas.clientWidth, this.canvas.clientHeight];
        const [width, height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
        if (this.canvas.width !== width || this.canvas.height !== height) {
            this.canvas.width = width;
            this.canvas.height = height;
        }
        const context = this.canvas.getContext("2d");
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        return context;
    }

    rangeOf(lines, from, to, calm) {
        let [low, high] = [Infinity, -Infinity];
        for (const { points } of lines) {
            for (const [px, py] of points) {
                if (px < from || px > to || !Number.isFinite(py)) continue;
                low = Math.min(low, py);
                high = Math.max(high, py);
            }
        }
        if (low > high) [low, high] = [0, 1];
        const room = Math.max((high - low) * 0.08, Math.abs(high) * 0.01, 1e-6);
        const wanted = [low - room, high + room];
        this.range = calm && this.range
            ? this.range.map((number, index) => number + 0.15 * (wanted[index] - number)) : wanted;
        return this.range;
    }

    static ticks([low, high], count) {
        const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
        const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw * 0.999) * power;
        const ticks = [];
        for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9 * step; tick += step) {
            ticks.push(Math.abs(tick) < 1e-9 * step ? 0 : tick);
        }
        return ticks;
    }

    static text(number) {
        const size = Math.abs(number);
        if (size >= 1e6) return `${+(number / 1e6).toPrecision(3)} M`;
        if (size >= 1e4) return `${+(number / 1e3).toPrecision(3)} k`;
        return `${+number.toPrecision(4)}`;
    }
}
