import MessagePack
public import Planning

/// The messages of openpi's WebSocket protocol, as the `openpi-client` of PyPI speaks it: what the
/// server tells when a client connects, a map of arrays for each observation, a map of arrays back.
public enum OpenPIMessages {
    private static let keys = ["observation", "reward", "reset", "goal", "history", "seed"]
    private static let historyKeys = ["observations", "actions", "rewards"]

    /// What a client is told when it connects.
    public static func metadata(_ policy: PolicyDescription, lanes: Int) -> [UInt8] {
        func whole(_ key: String, _ number: Int) -> MessagePackValue.Entry {
            .init(key, .integer(Int64(number)))
        }
        var entries: [MessagePackValue.Entry] = [
            .init("policy", .string(policy.name)),
            .init("server", .string("trajectory-transformer")),
            whole("observation_dimension", policy.observationDimension),
            whole("action_dimension", policy.actionDimension),
            .init("goal_columns", .array(policy.goalColumns.map { .integer(Int64($0)) })),
            whole("horizon", policy.horizon),
            whole("action_horizon", policy.actionHorizon),
            whole("replan_interval", policy.replanInterval),
            whole("history", policy.history),
            whole("lanes", lanes),
            .init("objective", .string(policy.objective)),
            .init("discount", .number(policy.discount)),
        ]
        if let deadline = policy.deadlineMilliseconds {
            entries.append(.init("deadline_ms", .number(deadline)))
        }
        return MessagePackWriter.write(.map(entries))
    }

    /// A request.
    ///
    /// - Throws: ``ServingError`` when the bytes are no message, or the message is no request.
    public static func request(_ bytes: [UInt8]) throws(ServingError) -> PlanRequest {
        let message: MessagePackValue
        do {
            message = try MessagePackReader.read(bytes)
        } catch {
            throw ServingError(.malformed, error.description)
        }
        let entries = try map(message, "the request", keys: keys)
        guard let given = entries["observation"] else {
            throw ServingError(.malformed, "the request has no 'observation'")
        }
        let observation = try array(given, "observation")
        let isBatch = observation.shape.count != 1
        var request = PlanRequest(
            observations: try observation.rows(isBatch: isBatch), isBatch: isBatch)
        if let reward = entries["reward"] {
            request.rewards = try array(reward, "reward").scalars(isBatch: isBatch)
        }
        if let reset = entries["reset"] {
            request.resets = try array(reset, "reset").scalars(isBatch: isBatch).map { $0 != 0 }
        }
        if let goal = entries["goal"] {
            request.goals = try array(goal, "goal").rows(isBatch: isBatch)
        }
        if let history = entries["history"] {
            let parts = try map(history, "'history'", keys: historyKeys)
            func part(_ name: String) throws(ServingError) -> RequestArray {
                guard let value = parts[name] else {
                    throw ServingError(.malformed, "'history' has no '\(name)'")
                }
                return try array(value, name)
            }
            request.history = try PlanRequest.transitions(
                observations: part("observations"), actions: part("actions"),
                rewards: part("rewards"), isBatch: isBatch)
        }
        switch entries["seed"] {
        case nil: break
        case .integer(let number)? where number >= 0: request.seed = UInt64(number)
        case .large(let number)?: request.seed = number
        case let other?:
            throw ServingError(.malformed, "'seed' is \(other.kind); give a whole number from 0 up")
        }
        return request
    }

    /// An answer: arrays that begin with the horizon, so that an `ActionChunkBroker` can slice them.
    ///
    /// - Parameters:
    ///   - plans: A plan for each lane, equally long.
    ///   - step: What was planned for.
    ///   - timing: Milliseconds by what they were spent on.
    /// - Returns: The bytes of a map: `actions` (horizon × action), `observations`, `rewards` and
    ///   `values`, with the lanes as second dimension for a batch; `score` and `context`, the
    ///   transitions that the plan saw, are numbers, or lists of one for each lane.
    public static func answer(
        _ plans: [Plan], to step: Session.Step, timing: [(String, Double)]
    ) -> [UInt8] {
        // Under a deadline lanes whose pasts differ in length may be planned differently far.
        let horizon = plans.map(\.actions.count).min() ?? 0
        func matrix(_ rows: (Plan) -> [[Double]]) -> MessagePackValue {
            let width = plans.first.flatMap { rows($0).first?.count } ?? 0
            let numbers = (0..<horizon).flatMap { time in plans.flatMap { rows($0)[time] } }
            return .tensor(
                NumericArray(
                    shape: step.isBatch ? [horizon, plans.count, width] : [horizon, width],
                    numbers: numbers))
        }
        func column(_ numbers: (Plan) -> [Double]) -> MessagePackValue {
            .tensor(
                NumericArray(
                    shape: step.isBatch ? [horizon, plans.count] : [horizon],
                    numbers: (0..<horizon).flatMap { time in plans.map { numbers($0)[time] } }))
        }
        func each(_ values: [MessagePackValue]) -> MessagePackValue {
            step.isBatch ? .array(values) : values.first ?? .null
        }
        return MessagePackWriter.write(
            .map([
                .init("actions", matrix(\.actions)),
                .init("observations", matrix(\.observations)),
                .init("rewards", column(\.rewards)),
                .init("values", column(\.values)),
                .init("score", each(plans.map { .number($0.score) })),
                .init(
                    "context",
                    each(
                        step.situations.map {
                            .integer(Int64($0.context.transitions.count))
                        })),
                .init(
                    "server_timing", .map(timing.map { .init($0.0, .number($0.1)) })),
            ]))
    }

    // MARK: - Values

    private static func map(
        _ value: MessagePackValue, _ name: String, keys: [String]
    ) throws(ServingError) -> [String: MessagePackValue] {
        guard case .map(let entries) = value else {
            throw ServingError(.malformed, "\(name) is \(value.kind), where a map is expected")
        }
        var found: [String: MessagePackValue] = [:]
        for entry in entries {
            guard keys.contains(entry.key) else {
                throw ServingError(
                    .malformed,
                    "\(name) has '\(entry.key.prefix(40))'; it may have "
                        + keys.joined(separator: ", "))
            }
            // None is how Python leaves something out.
            if entry.value != .null { found[entry.key] = entry.value }
        }
        return found
    }

    /// An array of NumPy's, a number, or lists of numbers inside each other.
    private static func array(
        _ value: MessagePackValue, _ name: String
    ) throws(ServingError) -> RequestArray {
        if case .tensor(let array) = value {
            return RequestArray(name: name, shape: array.shape, numbers: array.numbers)
        }
        var shape: [Int] = []
        var first = value
        while case .array(let elements) = first {
            shape.append(elements.count)
            first = elements.first ?? .number(0)
        }
        var numbers: [Double] = []
        func flatten(_ value: MessagePackValue, _ depth: Int) -> Bool {
            switch value {
            case .array(let elements):
                return depth < shape.count && elements.count == shape[depth]
                    && elements.allSatisfy { flatten($0, depth + 1) }
            case .number(let number): numbers.append(number)
            case .integer(let number): numbers.append(Double(number))
            case .large(let number): numbers.append(Double(number))
            case .boolean(let isTrue): numbers.append(isTrue ? 1 : 0)
            default: return false
            }
            return depth == shape.count
        }
        guard flatten(value, 0) else {
            throw ServingError(
                .malformed,
                "'\(name)' is \(value.kind) that is no array of numbers; give a NumPy array")
        }
        return RequestArray(name: name, shape: shape, numbers: numbers)
    }
}
