import Tokenization
package import Trajectories
package import Transformer

/// A tree of prefixes that is continued as episodes of the level of return that is asked for are,
/// and whose rewards and values are those of any episode.
///
/// Told that an episode is one of the best, a model expects large returns whatever is done: it
/// proposes well and judges badly. So every prefix is computed twice, behind the level and behind
/// the token for "not told" (`ReturnLevels.untold`), and each of a transition's tokens is read
/// where it belongs. With both at hand, actions can also be guided: drawn from logits in which what
/// the level adds counts more than once (``PlannerOptions/levelGuidance``).
package final class JudgedTree: PrefixTreeModel {
    private let base: any PrefixTreeModel
    /// Where in a goal the level stands.
    private let place: Int
    /// What stands there for who judges.
    private let untold: Int
    /// Whether rewards and values are those of any episode.
    private let judges: Bool
    /// How often what the level adds to an action's logits counts.
    private let guidance: Float
    private var goalCount = 0
    /// The position of every node in its window.
    private var positions: [Int32] = []
    private var batch: [PrefixNode] = []

    /// A tree of `base`, in whose goals the level has the place `place`.
    package init(
        _ base: any PrefixTreeModel, place: Int, untold: Int, judges: Bool, guidance: Float
    ) {
        self.base = base
        self.place = place
        self.untold = untold
        self.judges = judges
        self.guidance = guidance
    }

    /// The tree of a search under `conditions`; nil where these have no levels of return, or the
    /// search asks nothing behind none.
    convenience init?(
        _ base: any PrefixTreeModel, under conditions: Conditions?, options: PlannerOptions
    ) {
        let judges = options.objective != .likelihood
        guard let conditions, let returns = conditions.returns,
            judges || options.levelGuidance != 1
        else { return nil }
        self.init(
            base, place: conditions.columns.count, untold: returns.untold, judges: judges,
            guidance: Float(options.levelGuidance))
    }

    package var layout: TransitionLayout { base.layout }
    package var vocabularySize: Int { base.vocabularySize }
    package var contextLength: Int { base.contextLength }
    package var goalDimension: Int { base.goalDimension }
    package var bytesPerNode: Int { 2 * base.bytesPerNode }
    package var workerCount: Int { base.workerCount }

    package func begin(goals: [[Int]]) throws(EngineError) {
        positions.removeAll(keepingCapacity: true)
        goalCount = goals.count
        let judging = goals.map { goal in
            var goal = goal
            goal[place] = untold
            return goal
        }
        try base.begin(goals: goals + judging)
    }

    package func removeAll() throws(EngineError) {
        positions.removeAll(keepingCapacity: true)
        try base.removeAll()
    }

    package func extend(_ nodes: [PrefixNode]) throws(EngineError) -> Range<Int> {
        let first = positions.count
        batch.removeAll(keepingCapacity: true)
        for node in nodes {
            let parents: (PrefixNode.Parent, PrefixNode.Parent)
            switch node.parent {
            case .goal(let goal):
                parents = (.goal(goal), .goal(goalCount + goal))
                positions.append(0)
            case .node(let number):
                parents = (.node(2 * number), .node(2 * number + 1))
                positions.append(positions[number] + 1)
            }
            let reading = reading(at: positions.count - 1)
            batch.append(
                PrefixNode(
                    parent: parents.0, token: node.token,
                    needsOutput: node.needsOutput && reading != .untold))
            batch.append(
                PrefixNode(
                    parent: parents.1, token: node.token,
                    needsOutput: node.needsOutput && reading != .told))
        }
        _ = try base.extend(batch)
        return first..<positions.count
    }

    package func withLogits<Result>(
        of node: Int, _ body: (Span<Float>) throws -> Result
    ) rethrows -> Result {
        switch reading(at: node) {
        case .told: return try base.withLogits(of: 2 * node, body)
        case .untold: return try base.withLogits(of: 2 * node + 1, body)
        case .guided:
            let guided = zip(base.logits(of: 2 * node), base.logits(of: 2 * node + 1)).map {
                told, untold in untold + guidance * (told - untold)
            }
            return try body(guided.span)
        }
    }

    package func concurrently(_ body: (_ worker: Int) -> Void) { base.concurrently(body) }

    /// Behind what a token is expected.
    private enum Reading {
        case told, untold, guided
    }

    /// Behind what the token after a node is expected.
    private func reading(at node: Int) -> Reading {
        let place = (Int(positions[node]) + 1) % layout.transitionDimension
        if place >= layout.rewardIndex { return judges ? .untold : .told }
        return place >= layout.observationDimension && guidance != 1 ? .guided : .told
    }
}
