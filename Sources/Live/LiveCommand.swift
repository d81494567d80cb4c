import Foundation
public import Planning

/// What a page may ask for.
public enum LiveCommand: Sendable, Equatable {
    /// A change of the search; what is nil stays.
    public struct Search: Sendable, Equatable {
        /// Transitions to plan ahead.
        public var horizon: Int?
        /// Sequences kept after each.
        public var beamWidth: Int?
        /// Steps for which a plan is followed.
        public var replanInterval: Int?
        /// What a plan is to be best in.
        public var objective: PlannerOptions.Objective?
        /// Milliseconds within which to plan; 0 for no limit.
        public var deadlineMilliseconds: Double?

        /// Nothing changes.
        public init() {}
    }

    /// Steps follow each other by themselves.
    case run
    /// They no longer do.
    case pause
    /// So many steps.
    case step(Int)
    /// An episode begins, with a seed or with the next one.
    case reset(seed: UInt64?)
    /// Another search from the next decision on.
    case search(Search)
    /// The most simulated seconds a second.
    case speed(Double)
    /// A force on the robot's first body, in newtons, for so many steps.
    case push(force: [Double], steps: Int)
    /// Another goal: x and y in metres.
    case goal([Double])

    /// Steps that may be asked for at once.
    static let steps = 1...1000
    /// Speeds that there are.
    static let speeds = 0.001...1.0

    /// Reads a page's message.
    ///
    /// - Throws: ``LiveError`` that says what of it is wrong.
    public init(_ text: String) throws(LiveError) {
        let message: Message
        do {
            message = try JSONDecoder().decode(Message.self, from: Data(text.utf8))
        } catch {
            throw LiveError("the message is not a JSON object of the live page")
        }
        func need<Value>(_ value: Value?, _ name: String) throws(LiveError) -> Value {
            guard let value else { throw LiveError("'\(message.type.prefix(40))' needs '\(name)'") }
            return value
        }
        switch message.type {
        case "run": self = .run
        case "pause": self = .pause
        case "step":
            let count = message.count ?? 1
            guard Self.steps ~= count else {
                throw LiveError("\(count) steps at once; give 1 to \(Self.steps.upperBound)")
            }
            self = .step(count)
        case "reset": self = .reset(seed: message.seed)
        case "search":
            var search = Search()
            search.horizon = message.horizon
            search.beamWidth = message.beamWidth
            search.replanInterval = message.replanInterval
            search.deadlineMilliseconds = message.deadlineMilliseconds
            if let name = message.objective {
                guard let objective = PlannerOptions.Objective(rawValue: name) else {
                    throw LiveError("there is no objective '\(name.prefix(40))'")
                }
                search.objective = objective
            }
            self = .search(search)
        case "speed":
            let speed = try need(message.speed, "speed")
            guard Self.speeds ~= speed else {
                throw LiveError("a speed of \(speed); give 0.001 to 1")
            }
            self = .speed(speed)
        case "push":
            let force = try need(message.force, "force")
            let steps = message.steps ?? 1
            guard force.count == 3, force.allSatisfy({ abs($0) <= 1e6 }), Self.steps ~= steps
            else {
                throw LiveError(
                    "a push is three numbers of newtons, up to a million, for 1 to 1000 steps")
            }
            self = .push(force: force, steps: steps)
        case "goal":
            let goal = try need(message.goal, "goal")
            guard goal.count == 2, goal.allSatisfy({ abs($0) <= 1e6 }) else {
                throw LiveError("a goal is two numbers of metres, x and y")
            }
            self = .goal(goal)
        default:
            throw LiveError("there is no message '\(message.type.prefix(40))'")
        }
    }

    /// All that messages may hold.
    private struct Message: Decodable {
        var type: String
        var count, horizon, beamWidth, replanInterval, steps: Int?
        var seed: UInt64?
        var objective: String?
        var speed, deadlineMilliseconds: Double?
        var force, goal: [Double]?
    }
}

/// Why what a page asked for is not done.
public struct LiveError: Error, CustomStringConvertible, Sendable, Hashable {
    /// One line: what is wrong, what to do.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
