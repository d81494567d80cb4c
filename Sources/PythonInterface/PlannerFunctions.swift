import Bounds
import Planning

/// What the Python package knows of a planner.
private struct PlannerAnswer: Encodable {
    let options: PlannerOptions
    let notes: [String]
}

/// Environments by their places, for functions that take some of a planner's.
private func places(_ first: UnsafePointer<Int32>, _ count: Int) -> [Int] {
    UnsafeBufferPointer(start: first, count: count).map(Int.init)
}

/// Makes a planner of a model.
///
/// `limits` holds the lower and the upper limit of each action dimension, one pair after the other;
/// `critic` may be null.
@c(trajectory_planner_new)
public func makePlanner(
    _ model: Handle, _ engine: Handle, _ request: UnsafePointer<CChar>,
    _ critic: UnsafePointer<CChar>?, _ limits: UnsafePointer<Double>, _ dimensions: Int,
    _ environments: Int, _ planner: UnsafeMutablePointer<Handle?>, _ text: TextPlace
) -> Int32 {
    answer(text) {
        if let problem = Bound.together.problem("num_envs", environments) {
            throw Failure(.option, problem)
        }
        let ranges = try (0..<dimensions).map { index throws(Failure) in
            let (low, high) = (limits[2 * index], limits[2 * index + 1])
            guard low <= high else {
                throw Failure(
                    option: "actionLimits", value: "\(low) to \(high)",
                    remedy: "give a lower limit, then one that is not below it")
            }
            return low...high
        }
        let box = try PlannerBox(
            object(model), options: decode(request, as: PlannerRequest.self).options,
            critic: critic.map { String(cString: $0) }, actionLimits: ranges, count: environments,
            engine: object(engine))
        planner.pointee = handle(box)
        return PlannerAnswer(options: box.options, notes: box.notes)
    }
}

/// Begins an episode, with a seed, in each of some environments.
@c(trajectory_planner_reset)
public func resetPlanner(
    _ planner: Handle, _ environments: UnsafePointer<Int32>, _ seeds: UnsafePointer<UInt64>,
    _ count: Int
) {
    object(planner, as: PlannerBox.self).reset(
        places(environments, count),
        seeds: Array(UnsafeBufferPointer(start: seeds, count: count)))
}

/// Says what to reach in some environments; `goals` has a row of `width` numbers for each.
@c(trajectory_planner_set_goals)
public func setPlannerGoals(
    _ planner: Handle, _ environments: UnsafePointer<Int32>, _ goals: UnsafePointer<Double>,
    _ count: Int, _ width: Int, _ text: TextPlace
) -> Int32 {
    answer(text) {
        try object(planner, as: PlannerBox.self).setGoals(
            places(environments, count), rows(goals, count, width))
        return Nothing()
    }
}

/// Decides in some environments: a row of `observations` in, a row of `actions` out for each.
@c(trajectory_planner_act)
public func act(
    _ planner: Handle, _ stop: Handle, _ environments: UnsafePointer<Int32>,
    _ observations: UnsafePointer<Double>, _ actions: UnsafeMutablePointer<Double>, _ count: Int,
    _ text: TextPlace
) -> Int32 {
    answer(text) {
        let box: PlannerBox = object(planner)
        let stop: Stop = object(stop)
        let decisions = try SearchInterruption.watching({ stop.isRequested }) {
            try box.act(
                places(environments, count),
                on: rows(observations, count, box.observationDimension),
                isStopped: { stop.isRequested })
        }
        let width = box.actionDimension
        for (row, decision) in decisions.enumerated() {
            for (column, number) in decision.action.enumerated() {
                actions[row * width + column] = number
            }
        }
        return Nothing()
    }
}

/// Takes note of the rewards of the last actions in some environments.
@c(trajectory_planner_observe)
public func observe(
    _ planner: Handle, _ environments: UnsafePointer<Int32>, _ rewards: UnsafePointer<Double>,
    _ count: Int, _ text: TextPlace
) -> Int32 {
    answer(text) {
        try object(planner, as: PlannerBox.self).receive(
            places(environments, count),
            rewards: Array(UnsafeBufferPointer(start: rewards, count: count)))
        return Nothing()
    }
}

/// Plans in some environments, whose pasts stay as they are; `goals`, which may be null, has a row
/// of `width` numbers for each.
@c(trajectory_planner_plan)
public func plan(
    _ planner: Handle, _ stop: Handle, _ environments: UnsafePointer<Int32>,
    _ observations: UnsafePointer<Double>, _ seeds: UnsafePointer<UInt64>,
    _ goals: UnsafePointer<Double>?, _ width: Int, _ count: Int, _ text: TextPlace
) -> Int32 {
    answer(text) {
        let box: PlannerBox = object(planner)
        let stop: Stop = object(stop)
        return try SearchInterruption.watching({ stop.isRequested }) {
            try box.plan(
                places(environments, count),
                on: rows(observations, count, box.observationDimension),
                seeds: Array(UnsafeBufferPointer(start: seeds, count: count)),
                goals: goals.map { rows($0, count, width) })
        }
    }
}
