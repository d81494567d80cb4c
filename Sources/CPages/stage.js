"use strict";
// A robot or a maze on a canvas: camera, floor, robot, ghosts of the plan, beams, goal and push.

/** An orthographic camera that looks at a target; azimuth and elevation in degrees say from where. */
class Camera {
    constructor(azimuth, elevation) {
        this.target = [0, 0, 0];
        this.scale = 100;
        this.center = [0, 0];
        this.project = this.project.bind(this);
        this.turn(azimuth, elevation);
    }

    turn(azimuth, elevation) {
        this.azimuth = azimuth;
        this.elevation = Math.max(4, Math.min(90, elevation));
        const a = azimuth * Math.PI / 180, e = this.elevation * Math.PI / 180;
        this.right = [-Math.sin(a), Math.cos(a), 0];
        this.up = [-Math.sin(e) * Math.cos(a), -Math.sin(e) * Math.sin(a), Math.cos(e)];
        this.toEye = [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
    }

    project(point) {
        const from = plus(point, this.target, -1);
        return [
            this.center[0] + this.scale * dot(from, this.right), this.center[1] - this.scale * dot(from, this.up),
        ];
    }

    /** The point of the ground that is drawn at a place of the canvas. */
    ground(x, y) {
        const across = (x - this.center[0]) / this.scale, upwards = (this.center[1] - y) / this.scale;
        const sine = Math.sin(this.elevation * Math.PI / 180), a = this.azimuth * Math.PI / 180;
        const away = (upwards + this.target[2] * this.up[2]) / sine;
        return [
            this.target[0] + across * this.right[0] - away * Math.cos(a),
            this.target[1] + across * this.right[1] - away * Math.sin(a),
        ];
    }
}

const views = { side: [-90, 6], free: [-62, 20], above: [-90, 62] };

class Stage {
    /** Draws what `scene` describes; `pose` is that of the first moment, by which the view is chosen. */
    constructor(canvas, scene, pose) {
        this.canvas = canvas;
        this.scene = scene;
        this.camera = new Camera(...views[scene.view]);
        this.zoom = 1;
        this.robot = scene.shapes.filter((shape) => shape.body > 0);
        this.walls = scene.shapes.filter((shape) => shape.body === 0 && shape.kind === "box");
        this.still = new Float32Array(7 * scene.bodies);
        for (let body = 0; body < scene.bodies; body++) this.still[7 * body + 3] = 1;
        this.measure(pose);
        this.readTheme();
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.readTheme());
    }

    readTheme() {
        const style = getComputedStyle(document.documentElement);
        const probe = document.createElement("canvas").getContext("2d");
        const read = (name) => {
            probe.fillStyle = style.getPropertyValue(name).trim();
            const hex = probe.fillStyle;
            return hex.startsWith("#") ? [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) : hex;
        };
        this.color = Object.fromEntries(
            ["ink", "soft", "line", "accent", "warm", "good", "floor", "floor-line", "wall"].map((name) =>
                [name, read("--" + name)]));
        for (const name of ["shadow", "sky-top", "sky-bottom"]) {
            this.color[name] = style.getPropertyValue("--" + name).trim();
        }
    }

    /** How large the robot is: the scale follows from it. */
    measure(pose) {
        let low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
        for (const shape of this.robot) {
            const { middle } = placed(shape, pose);
            const reach = Math.max(...shape.size);
            low = low.map((number, axis) => Math.min(number, middle[axis] - reach));
            high = high.map((number, axis) => Math.max(number, middle[axis] + reach));
        }
        this.height = high[2];
        this.length = Math.max(high[0] - low[0], high[1] - low[1]);
    }

    fit() {
        const ratio = window.devicePixelRatio || 1;
        const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
        if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
            this.canvas.width = Math.round(width * ratio);
            this.canvas.height = Math.round(height * ratio);
        }
        this.width = width;
        this.size = height;
        const context = this.canvas.getContext("2d");
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        return context;
    }

    aim(pose) {
        const { camera, scene } = this;
        const root = pose.subarray(7 * scene.root, 7 * scene.root + 3);
        if (scene.view === "above") {
            const { x, y } = scene.ground, half = this.walls.length ? this.walls[0].size : [0, 0, 0];
            // The cells all around are walls, of which a third shows; high walls reach up the picture.
            const rim = 1.3 * half[0], [across, along] = [x, y].map(([low, high]) => high - low - 2 * rim);
            const e = camera.elevation * Math.PI / 180, upwards = along * Math.sin(e) + 2 * half[2] * Math.cos(e);
            camera.scale = this.zoom * 0.94 * Math.min(this.width / across, this.size / upwards);
            const middle = [(x[0] + x[1]) / 2, (y[0] + y[1]) / 2, half[2]];
            // The nearer, the more the robot is looked at.
            const share = Math.max(0, 1 - 1 / this.zoom);
            camera.target = middle.map((number, axis) => number + share * (root[axis] - number));
        } else if (scene.view === "side") {
            const shown = Math.max(this.height * 1.55, this.length * 1.15);
            camera.target = [root[0] + 0.12 * shown, 0, shown * 0.36];
            camera.scale = this.zoom * this.size / shown;
        } else {
            const shown = Math.max(this.height * 2.1, this.length * 1.6);
            camera.target = [root[0], root[1], this.height * 0.42];
            camera.scale = this.zoom * this.size / shown;
        }
        camera.center = [this.width / 2, this.size / 2];
    }

    /**
     * Draws a moment.
     *
     * moment: pose; ghosts: poses ahead, the nearest first; beams: lines of points; lead: lines of the plan itself;
     * goal, force: [x, y, z] in newtons; drag: the arrow that is being drawn, on the screen.
     */
    draw(moment) {
        const context = this.fit();
        const sky = context.createLinearGradient(0, 0, 0, this.size);
        sky.addColorStop(0, this.color["sky-top"]);
        sky.addColorStop(1, this.color["sky-bottom"]);
        context.fillStyle = sky;
        context.fillRect(0, 0, this.width, this.size);
        context.lineJoin = context.lineCap = "round";
        this.aim(moment.pose);
        if (this.scene.view === "side") this.drawTrack(context);
        else if (this.scene.view === "above") this.drawGround(context);
        else this.drawGrid(context);
        if (moment.goal) this.drawGoal(context, moment.goal);
        this.drawShadow(context, moment.pose);
        this.drawLines(context, moment.beams || [], 0.2, 1);
        const ghosts = moment.ghosts || [];
        ghosts.slice().reverse().forEach((pose, index) => {
            const nearness = (index + 1) / ghosts.length;
            this.drawGhost(context, pose, 0.12 + 0.12 * nearness);
        });
        this.drawBodies(context, moment.pose);
        this.drawLines(context, moment.lead || [], 0.95, 2, true);
        if (moment.force) this.drawForce(context, moment);
        if (moment.drag) this.drawArrow(context, moment.drag.from, moment.drag.to);
    }

    // MARK: Floors

    /** A strip with metres on it, for robots that are seen from the side. */
    drawTrack(context) {
        const { camera } = this;
        const half = this.width / 2 / camera.scale + 0.1, x = camera.target[0], depth = 1.4;
        const left = x - half, right = x + half;
        const polygon = (points) => {
            context.beginPath();
            points.forEach((point) => context.lineTo(...camera.project(point)));
            context.closePath();
        };
        polygon([[left, -depth, 0], [right, -depth, 0], [right, depth, 0], [left, depth, 0]]);
        context.fillStyle = css(this.color.floor);
        context.fill();
        const lower = camera.project([x, -depth, 0])[1];
        context.fillStyle = css(this.color.floor, 0.55);
        context.fillRect(0, lower, this.width, this.size - lower);
        const step = half > 6 ? 2 : half > 2.4 ? 1 : 0.5;
        context.font = "11px system-ui, 'Noto Sans', 'DejaVu Sans', sans-serif";
        context.textAlign = "center";
        context.textBaseline = "top";
        for (let mark = Math.floor(left / step) * step; mark <= right; mark += step) {
            const isWhole = Math.abs(mark - Math.round(mark)) < 1e-9;
            context.strokeStyle = css(this.color["floor-line"], isWhole ? 1 : 0.5);
            context.lineWidth = isWhole ? 1.5 : 1;
            context.beginPath();
            context.moveTo(...camera.project([mark, -depth, 0]));
            context.lineTo(...camera.project([mark, depth, 0]));
            context.stroke();
            if (!isWhole) continue;
            context.fillStyle = css(this.color.soft);
            const [px] = camera.project([mark, -depth, 0]);
            context.fillText(`${Math.round(mark)} m`, px, Math.min(lower + 8, this.size - 16));
        }
    }

    /** A grid that fades with the distance, for robots that go anywhere. */
    drawGrid(context) {
        const { camera } = this;
        const reach = 7, [x, y] = camera.target;
        const middle = camera.project([x, y, 0]);
        const fade = context.createRadialGradient(...middle, 0, ...middle, 4.6 * camera.scale);
        fade.addColorStop(0, css(this.color["floor-line"], 1));
        fade.addColorStop(1, css(this.color["floor-line"], 0));
        context.strokeStyle = fade;
        context.lineWidth = 1.2;
        context.beginPath();
        for (let mark = -reach; mark <= reach; mark++) {
            const [gx, gy] = [Math.round(x) + mark, Math.round(y) + mark];
            context.moveTo(...camera.project([gx, y - reach, 0]));
            context.lineTo(...camera.project([gx, y + reach, 0]));
            context.moveTo(...camera.project([x - reach, gy, 0]));
            context.lineTo(...camera.project([x + reach, gy, 0]));
        }
        context.stroke();
    }

    drawGround(context) {
        const { x, y } = this.scene.ground;
        context.beginPath();
        for (const point of [[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]]]) {
            context.lineTo(...this.camera.project([...point, 0]));
        }
        context.closePath();
        context.fillStyle = css(this.color.floor);
        context.fill();
    }

    drawGoal(context, goal) {
        const radius = this.scene.goalRadius || 0.45;
        const [x, y] = this.camera.project([goal[0], goal[1], 0]);
        const sine = Math.sin(this.camera.elevation * Math.PI / 180);
        for (const [share, alpha] of [[1, 0.16], [0.62, 0.3], [0.24, 0.95]]) {
            context.beginPath();
            context.ellipse(x, y, share * radius * this.camera.scale, share * radius * this.camera.scale * sine, 0, 0, 7);
            context.fillStyle = css(this.color.good, alpha);
            context.fill();
        }
    }

    // MARK: Bodies

    drawShadow(context, pose) {
        const flat = new Path2D();
        const camera = Object.create(this.camera);
        camera.project = (point) => this.camera.project([point[0] + 0.12 * point[2], point[1], 0]);
        camera.scale = this.camera.scale * (this.scene.view === "side" ? 0.5 : 0.8);
        for (const shape of this.robot) if (shape.kind !== "box") outline(flat, shape, pose, camera);
        context.fillStyle = this.color.shadow;
        context.save();
        context.filter = "blur(3px)";
        context.fill(flat);
        context.restore();
    }

    drawBodies(context, pose) {
        const parts = this.robot.map((shape) => ({ shape, pose, color: this.tint(shape) }))
            .concat(this.walls.map((shape) => ({ shape, pose: this.still, color: this.color.wall })));
        for (const part of parts) part.depth = dot(placed(part.shape, part.pose).middle, this.camera.toEye);
        parts.sort((a, b) => a.depth - b.depth);
        for (const { shape, pose, color } of parts) paint(context, shape, pose, this.camera, color);
    }

    tint(shape) {
        // What the model does not show, as the mazes' point, is not blue, which the plan is.
        if (shape.color[3] === 0) return this.color.warm;
        return shape.color.slice(0, 3).map((number) => Math.round(255 * number));
    }

    drawGhost(context, pose, alpha) {
        const path = new Path2D();
        for (const shape of this.robot) outline(path, shape, pose, this.camera);
        context.fillStyle = css(this.color.accent, alpha);
        context.fill(path);
    }

    drawLines(context, lines, alpha, width, withEnds = false) {
        context.lineWidth = width;
        context.strokeStyle = context.fillStyle = css(this.color.accent, alpha);
        for (const line of lines) {
            context.beginPath();
            for (const point of line) context.lineTo(...this.camera.project(point));
            context.stroke();
            if (!withEnds || !line.length) continue;
            context.beginPath();
            context.arc(...this.camera.project(line[line.length - 1]), 3, 0, 7);
            context.fill();
        }
    }

    drawForce(context, { force, pose }) {
        const at = 7 * this.scene.root;
        const root = pose.subarray(at, at + 3);
        const size = this.length / 2 / (this.scene.weight || 1);
        this.drawArrow(context, this.camera.project(plus(root, force, -size)), this.camera.project(root));
    }

    drawArrow(context, from, to) {
        const angle = Math.atan2(to[1] - from[1], to[0] - from[0]), head = 11;
        context.strokeStyle = context.fillStyle = css(this.color.warm);
        context.lineWidth = 4;
        context.beginPath();
        context.moveTo(...from);
        context.lineTo(to[0] - 0.7 * head * Math.cos(angle), to[1] - 0.7 * head * Math.sin(angle));
        context.stroke();
        context.beginPath();
        for (const [turn, reach] of [[0, 0], [0.45, head * 1.35], [-0.45, head * 1.35]]) {
            context.lineTo(to[0] - reach * Math.cos(angle + turn), to[1] - reach * Math.sin(angle + turn));
        }
        context.closePath();
        context.fill();
    }

    /** Whether a place of the canvas is on the robot or near it. */
    isNear(x, y, pose) {
        const at = 7 * this.scene.root;
        const [px, py] = this.camera.project(pose.subarray(at, at + 3));
        return Math.hypot(x - px, y - py) < 0.6 * Math.max(this.height, this.length) * this.camera.scale;
    }
}
