"use strict";
// One body part on a canvas, seen by an orthographic camera. A pose is seven numbers a body: position, then a
// quaternion (w, x, y, z). Vectors are arrays of three numbers in metres.

function rotate(q, v) {
    const [w, x, y, z] = q;
    const tx = 2 * (y * v[2] - z * v[1]), ty = 2 * (z * v[0] - x * v[2]), tz = 2 * (x * v[1] - y * v[0]);
    return [
        v[0] + w * tx + y * tz - z * ty,
        v[1] + w * ty + z * tx - x * tz,
        v[2] + w * tz + x * ty - y * tx,
    ];
}

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const plus = (a, b, scale = 1) => [a[0] + scale * b[0], a[1] + scale * b[1], a[2] + scale * b[2]];

/** Numbers that came as Float32 in Base64. */
function unpack(text) {
    if (!text) return new Float32Array(0);
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new Float32Array(bytes.buffer);
}

/** The middle of a shape and its three axes, as the pose has them. */
function placed(shape, pose) {
    const at = 7 * shape.body;
    const q = pose.subarray(at + 3, at + 7);
    const middle = plus(pose.subarray(at, at + 3), rotate(q, shape.position));
    const axes = [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((axis) => rotate(q, rotate(shape.rotation, axis)));
    return { middle, axes };
}

/** The corners of the smallest polygon around points on the screen, clockwise. */
function hull(points) {
    const sorted = points.slice().sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const cross = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
    const half = (list) => {
        const chain = [];
        for (const point of list) {
            while (chain.length > 1 && cross(chain[chain.length - 2], chain[chain.length - 1], point) <= 0) chain.pop();
            chain.push(point);
        }
        return chain.slice(0, -1);
    };
    return half(sorted).concat(half(sorted.reverse()));
}

/** Adds the outline of a shape to a path, always in the same direction, so that overlaps stay filled. */
function outline(path, shape, pose, camera, grow = 0) {
    const { middle, axes } = placed(shape, pose);
    const [x, y] = camera.project(middle);
    const scale = camera.scale;
    switch (shape.kind) {
    case "sphere": {
        const radius = shape.size[0] * scale + grow;
        path.moveTo(x + radius, y);
        path.arc(x, y, radius, 0, 2 * Math.PI);
        break;
    }
    case "capsule":
    case "cylinder": {
        const [x0, y0] = camera.project(plus(middle, axes[2], -shape.size[1]));
        const [x1, y1] = camera.project(plus(middle, axes[2], shape.size[1]));
        const radius = shape.size[0] * scale + grow, angle = Math.atan2(y1 - y0, x1 - x0);
        path.moveTo(x1 + radius * Math.cos(angle - Math.PI / 2), y1 + radius * Math.sin(angle - Math.PI / 2));
        path.arc(x1, y1, radius, angle - Math.PI / 2, angle + Math.PI / 2);
        path.arc(x0, y0, radius, angle + Math.PI / 2, angle + 1.5 * Math.PI);
        path.closePath();
        break;
    }
    case "ellipsoid": {
        // The shadow of an ellipsoid is an ellipse: the square of its axes is that of the projected ones.
        let [a, b, c] = [0, 0, 0];
        axes.forEach((axis, index) => {
            const px = shape.size[index] * dot(axis, camera.right), py = -shape.size[index] * dot(axis, camera.up);
            a += px * px; b += px * py; c += py * py;
        });
        const mean = (a + c) / 2, spread = Math.hypot((a - c) / 2, b);
        const long = Math.sqrt(mean + spread) * scale + grow;
        const short = Math.sqrt(Math.max(0, mean - spread)) * scale + grow;
        const angle = Math.atan2(2 * b, a - c) / 2;
        path.moveTo(x + long * Math.cos(angle), y + long * Math.sin(angle));
        path.ellipse(x, y, long, short, angle, 0, 2 * Math.PI);
        break;
    }
    case "box": {
        hull(corners(shape, middle, axes).map(camera.project)).forEach(([px, py], index) =>
            index ? path.lineTo(px, py) : path.moveTo(px, py));
        path.closePath();
        break;
    }
    }
}

function corners(shape, middle, axes) {
    return [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
        [0, 1, 2].reduce((point, axis) => plus(point, axes[axis], (bits >> axis & 1 ? 1 : -1) * shape.size[axis]), middle));
}

const css = (color, alpha = 1) => `rgba(${color[0]}, ${color[1]}, ${color[2]}, ${alpha})`;
const mix = (a, b, share) => [0, 1, 2].map((index) => Math.round(a[index] + share * (b[index] - a[index])));

/** Draws a shape with a rim and a light from above. */
function paint(context, shape, pose, camera, color) {
    if (shape.kind === "box") return paintBox(context, shape, pose, camera, color);
    const path = new Path2D();
    outline(path, shape, pose, camera);
    const { middle } = placed(shape, pose);
    const [x, y] = camera.project(middle);
    const reach = (shape.size[0] + (shape.kind === "capsule" ? shape.size[1] : 0)) * camera.scale;
    const light = context.createLinearGradient(x - 0.3 * reach, y - reach, x + 0.3 * reach, y + reach);
    light.addColorStop(0, css(mix(color, [255, 255, 255], 0.22)));
    light.addColorStop(0.55, css(color));
    light.addColorStop(1, css(mix(color, [10, 14, 24], 0.28)));
    context.fillStyle = light;
    context.fill(path);
    context.lineWidth = 1.25;
    context.strokeStyle = css(mix(color, [10, 14, 24], 0.5));
    context.stroke(path);
}

/** Draws the faces of a box that are seen, lit by how much they look up. */
function paintBox(context, shape, pose, camera, color) {
    const { middle, axes } = placed(shape, pose);
    for (let axis = 0; axis < 3; axis++) {
        for (const side of [-1, 1]) {
            const normal = axes[axis].map((number) => side * number);
            if (dot(normal, camera.toEye) <= 1e-6) continue;
            const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
            const center = plus(middle, normal, shape.size[axis]);
            const light = 0.5 + 0.5 * normal[2];
            context.beginPath();
            for (const [su, sv] of [[-1, -1], [1, -1], [1, 1], [-1, 1]]) {
                const corner = plus(plus(center, axes[u], su * shape.size[u]), axes[v], sv * shape.size[v]);
                context.lineTo(...camera.project(corner));
            }
            context.closePath();
            context.fillStyle = css(mix(mix(color, [10, 14, 24], 0.42), mix(color, [255, 255, 255], 0.1), light));
            context.fill();
            context.strokeStyle = context.fillStyle;
            context.lineWidth = 0.6;
            context.stroke();
        }
    }
}
