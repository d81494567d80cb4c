import Environments
import Episodes
import Foundation
import Live
import Planning
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// What a page of the live server sends: an order a line, each read and obeyed.
enum FuzzedLive {
    /// A point that a small model moves through a maze; made once, since that takes a while.
    private static let session = Session()

    static func orders(_ bytes: [UInt8]) throws {
        let lines = bytes.split(separator: UInt8(ascii: "\n")).prefix(mostOrders)
        let read = lines.map { line in
            Result { try LiveCommand(String(decoding: line, as: UTF8.self)) }
        }
        // Most are none, which takes no session.
        let commands = read.compactMap { try? $0.get() }
        if !commands.isEmpty { try session.obey(commands) }
        for line in read { _ = try line.get() }
    }

    static let seeds = [
        "steps": """
        {"type":"pause"}
        {"type":"step","count":2}
        {"type":"run"}
        {"type":"reset","seed":9007199254740991}
        {"type":"reset"}
        """,
        "search": """
        {"type":"search","horizon":4,"beamWidth":3,"replanInterval":2,"deadlineMilliseconds":50}
        {"type":"step"}
        {"type":"search","objective":"likelihood","deadlineMilliseconds":0}
        {"type":"step"}
        {"type":"search","objective":"expectedReturn"}
        """,
        "hands": """
        {"type":"push","force":[1,-2.5,0],"steps":2}
        {"type":"goal","goal":[-1,1.5]}
        {"type":"speed","speed":0.25}
        {"type":"step","count":3}
        """,
    ]

    private static let mostOrders = 8
    /// Of all orders of an input.
    private static let mostSteps = 3

    /// A session that begins anew with each input; the lock lets in one thread at a time.
    private final class Session: @unchecked Sendable {
        private let lock = NSLock()
        private var session: LiveSession?
        private var isChanged = true

        func obey(_ commands: [LiveCommand]) throws {
            lock.lock()
            defer { lock.unlock() }
            let session = try self.session ?? FuzzedLive.begin()
            self.session = session
            if isChanged { try session.change(FuzzedLive.small) }
            isChanged = false
            session.push(.zero, steps: 0)
            session.reset(seed: 1)
            var steps = FuzzedLive.mostSteps
            for command in commands {
                switch command {
                case .run, .pause, .speed: break
                case .step(let count): steps -= try step(session, min(count, steps))
                case .reset(let seed): session.reset(seed: seed)
                case .search(let search):
                    isChanged = true
                    try session.change(search)
                case .push(let force, let steps):
                    session.push(SIMD3(force[0], force[1], force[2]), steps: steps)
                case .goal(let goal): try session.setGoal(goal)
                }
            }
        }

        /// Takes steps where their search is small, and tells them; returns how many.
        private func step(_ session: LiveSession, _ count: Int) throws -> Int {
            guard session.options.horizon * session.options.beamWidth <= 16 else { return 0 }
            for _ in 0..<count {
                if session.isOver { session.reset() }
                let told = LiveLoop.text(try session.advance())
                precondition(told.utf8.count < 1 << 20, "a step of megabytes")
            }
            return count
        }
    }

    /// How each input begins.
    private static let small = {
        var search = LiveCommand.Search()
        search.horizon = 1
        search.beamWidth = 2
        search.replanInterval = 1
        search.objective = .expectedReturn
        search.deadlineMilliseconds = 0
        return search
    }()

    private static func begin() throws -> LiveSession {
        let environment = try EnvironmentRegistry.simulation("pointmaze-umaze@5")
        let layout = environment.specification.layout
        let columns = environment.specification.goalColumns
        var configuration = TransformerConfiguration(layout: layout, contextTransitions: 3)
        configuration.binCount = 4
        configuration.layerCount = 1
        configuration.headCount = 1
        configuration.embeddingWidth = 4
        configuration.goalDimension = columns?.count ?? 0
        var settings = TokenizedDataset.Settings()
        settings.goalColumns = columns
        let width = layout.transitionDimension
        let edges = (0...4).flatMap { Array(repeating: Double($0) - 2, count: width) }
        var options = PlannerOptions(.quick)
        options.contextTransitions = 2
        return try LiveSession(
            Checkpoint(
                model: TrajectoryTransformer(configuration, seed: 3),
                discretizer: Discretizer(
                    strategy: .uniform, edges: edges, dimension: width, binCount: 4),
                tokenization: settings),
            named: "random", in: environment, options: options, engine: CPUEngine(workers: 1))
    }
}
