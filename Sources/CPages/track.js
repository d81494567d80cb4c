"use strict";
// An episode as it is told, step by step: poses between steps, and the plan that was being followed.

class Track {
    constructor(scene) {
        this.scene = scene;
        this.begin(null);
    }

    /** An episode begins; `start` has its first pose. */
    begin(start) {
        this.start = start;
        this.poses = start ? [unpack(start.pose)] : [];
        this.steps = [];
        this.plans = [];
    }

    /** Steps that are known; the pose of that number is the last. */
    get head() {
        return this.steps.length;
    }

    get totalReward() {
        return this.head ? this.steps[this.head - 1].totalReward : 0;
    }

    /** Adds the next step; others are known or of another episode. */
    add(step) {
        if (!this.start || step.episode !== this.start.episode || step.step !== this.head + 1) return false;
        this.steps.push(step);
        this.poses.push(unpack(step.pose));
        if (step.plan) this.plans.push(step.plan);
        return true;
    }

    /** The pose between two steps. */
    poseAt(time) {
        const first = Math.max(0, Math.min(this.head, Math.floor(time)));
        const a = this.poses[first], b = this.poses[Math.min(first + 1, this.head)];
        const share = Math.max(0, Math.min(1, time - first));
        if (share === 0 || a === b) return a;
        const pose = new Float32Array(a.length);
        for (let at = 0; at < a.length; at += 7) {
            let turn = 0;
            for (let index = 3; index < 7; index++) turn += a[at + index] * b[at + index];
            const sign = turn < 0 ? -1 : 1;
            let square = 0;
            for (let index = 0; index < 7; index++) {
                const other = index < 3 ? b[at + index] : sign * b[at + index];
                pose[at + index] = a[at + index] + share * (other - a[at + index]);
                if (index > 2) square += pose[at + index] ** 2;
            }
            for (let index = 3; index < 7; index++) pose[at + index] /= Math.sqrt(square) || 1;
        }
        return pose;
    }

    /** The latest plan that was made by a time. */
    planAt(time) {
        let [low, high] = [0, this.plans.length];
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.plans[middle].step <= time + 1e-6) low = middle + 1;
            else high = middle;
        }
        return this.plans[low - 1];
    }

    /** What there is to draw at a time. */
    momentAt(time, shows = { ghosts: true, beams: true }) {
        const moment = { pose: this.poseAt(time), ghosts: [], beams: [], lead: [] };
        const step = this.steps[Math.min(this.head - 1, Math.max(0, Math.ceil(time) - 1))];
        moment.goal = step && step.goal || this.start && this.start.goal;
        moment.force = step && step.force;
        const plan = this.planAt(time);
        if (!plan || !plan.poses) return moment;
        const known = this.unpacked(plan), done = time - plan.step;
        if (shows.ghosts) {
            const ahead = known.poses.slice(Math.floor(done) + 1);
            const count = Math.min(4, ahead.length);
            for (let index = 1; index <= count; index++) {
                moment.ghosts.push(ahead[Math.ceil(index * ahead.length / count) - 1]);
            }
            moment.lead = this.scene.tracked.map((body) => [moment.pose, ...ahead].map((pose) =>
                pose.subarray(7 * body, 7 * body + 3)));
        }
        if (shows.beams) moment.beams = known.beams;
        return moment;
    }

    unpacked(plan) {
        if (plan.known) return plan.known;
        const numbers = unpack(plan.poses), width = 7 * this.scene.bodies;
        const poses = [];
        for (let at = 0; at < numbers.length; at += width) poses.push(numbers.subarray(at, at + width));
        const points = unpack(plan.beams), length = plan.beamPoints;
        const beams = [];
        for (let at = 0; length && at < points.length; at += 3 * length) {
            const beam = [];
            for (let index = 0; index < length; index++) {
                beam.push(points.subarray(at + 3 * index, at + 3 * index + 3));
            }
            beams.push(beam);
        }
        plan.known = { poses, beams };
        return plan.known;
    }

    /**
     * Discounted return from each step on, as it came; what is not known yet is what the model expects of the last
     * step, and nothing after a fall.
     */
    returns(discount) {
        const last = this.steps[this.head - 1];
        if (!last) return [];
        let value = last.ending === "terminal" ? 0 : Number(last.predictedValue);
        const result = new Array(this.head);
        for (let index = this.head - 1; index >= 0; index--) {
            const isLast = index === this.head - 1 && last.ending !== "terminal";
            value = isLast ? value : Number(this.steps[index].reward) + discount * value;
            result[index] = value;
        }
        return result;
    }
}
