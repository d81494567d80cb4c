/// What a client asks: a plan for what it observes now, or several for a batch.
///
/// A *lane* is one robot or environment; most clients have one.
public struct PlanRequest: Sendable, Hashable {
    /// A transition that lies behind.
    public struct Transition: Sendable, Hashable {
        /// What was observed.
        public var observation: [Double]
        /// The action taken then.
        public var action: [Double]
        /// What it brought.
        public var reward: Double

        /// A transition; see the properties.
        public init(observation: [Double], action: [Double], reward: Double) {
            self.observation = observation
            self.action = action
            self.reward = reward
        }
    }

    /// What each lane observes now.
    public var observations: [[Double]]
    /// Whether the client gave a batch, and gets one: also a batch of one is one.
    public var isBatch = false
    /// What the first action of each lane's last answer brought, where the client took it and no
    /// other since.
    public var rewards: [Double]?
    /// Whether an episode begins in each lane.
    public var resets: [Bool]?
    /// What each lane is to reach from now on.
    public var goals: [[Double]]?
    /// What happened in each lane, the latest last, in place of what the connection remembers.
    public var history: [[Transition]]?
    /// Decides on whatever is sampled; lanes count up from it.
    public var seed: UInt64?

    /// A request with observations alone.
    public init(observations: [[Double]], isBatch: Bool = false) {
        self.observations = observations
        self.isBatch = isBatch
    }
}

/// Numbers in rows that a client sent, on their way into a request.
struct RequestArray {
    let name: String
    let shape: [Int]
    let numbers: [Double]

    /// Rows of no numbers, which take no bytes of a message: more of them are refused.
    private static let mostEmptyRows = 1024

    /// The rows of a matrix, or the one row of a vector.
    func rows(isBatch: Bool) throws(ServingError) -> [[Double]] {
        guard shape.count == (isBatch ? 2 : 1) else {
            throw mismatch(isBatch ? "[lanes, numbers]" : "[numbers]")
        }
        try requireRows(inDimensions: 1)
        return isBatch ? split(numbers[...], shape[0]) : [numbers]
    }

    /// One number for each lane.
    func scalars(isBatch: Bool) throws(ServingError) -> [Double] {
        // A reward may come as an array of one number.
        guard isBatch ? shape.count == 1 : numbers.count == 1 && shape.count <= 1 else {
            throw mismatch(isBatch ? "[lanes]" : "[]: one number")
        }
        return numbers
    }

    /// A matrix for each lane.
    func matrices(isBatch: Bool) throws(ServingError) -> [[[Double]]] {
        guard shape.count == (isBatch ? 3 : 2) else {
            throw mismatch(isBatch ? "[lanes, transitions, numbers]" : "[transitions, numbers]")
        }
        try requireRows(inDimensions: isBatch ? 2 : 1)
        guard isBatch else { return [split(numbers[...], shape[0])] }
        guard shape[0] > 0 else { return [] }
        let size = numbers.count / shape[0]
        return (0..<shape[0]).map { split(numbers[($0 * size)..<(($0 + 1) * size)], shape[1]) }
    }

    /// Refuses more rows than the numbers there are can fill: memory would be taken for nothing.
    private func requireRows(inDimensions count: Int) throws(ServingError) {
        var rows = 1
        for length in shape.prefix(count) {
            let (product, overflow) = rows.multipliedReportingOverflow(by: max(length, 1))
            rows = overflow ? .max : product
        }
        guard rows <= max(numbers.count, Self.mostEmptyRows) else {
            throw ServingError(
                .malformed,
                "'\(name)' has the shape \(shape) and \(numbers.count) numbers; give at most "
                    + "\(Self.mostEmptyRows) empty rows")
        }
    }

    private func split(_ numbers: ArraySlice<Double>, _ count: Int) -> [[Double]] {
        guard count > 0 else { return [] }
        let width = numbers.count / count
        return (0..<count).map { row in
            let start = numbers.startIndex + row * width
            return Array(numbers[start..<(start + width)])
        }
    }

    private func mismatch(_ expected: String) -> ServingError {
        ServingError(
            .malformed, "'\(name)' has the shape \(shape.prefix(8)), where \(expected) is expected")
    }
}

extension PlanRequest {
    /// The transitions of a history given as three arrays.
    static func transitions(
        observations: RequestArray, actions: RequestArray, rewards: RequestArray, isBatch: Bool
    ) throws(ServingError) -> [[Transition]] {
        let seen = try observations.matrices(isBatch: isBatch)
        let done = try actions.matrices(isBatch: isBatch)
        let paid = try rewards.rows(isBatch: isBatch)
        guard seen.count == done.count, seen.count == paid.count else {
            throw ServingError(
                .malformed,
                "the history has \(seen.count), \(done.count) and \(paid.count) lanes of "
                    + "observations, actions and rewards; give as many of each")
        }
        var lanes: [[Transition]] = []
        for lane in seen.indices {
            guard seen[lane].count == done[lane].count, seen[lane].count == paid[lane].count else {
                throw ServingError(
                    .malformed,
                    "the history has \(seen[lane].count) observations, \(done[lane].count) actions "
                        + "and \(paid[lane].count) rewards; give as many of each")
            }
            lanes.append(
                seen[lane].indices.map {
                    Transition(
                        observation: seen[lane][$0], action: done[lane][$0],
                        reward: paid[lane][$0])
                })
        }
        return lanes
    }
}
