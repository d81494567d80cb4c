import Tokenization
package import Trajectories
package import Transformer

/// A tree of prefixes that is continued as episodes of the level of return that is asked for are,
/// and whose rewards and values are those of any episode.
///
/// Told that an episode is one of the best, a model expects large returns whatever is done: it
/// proposes well and judges badly. So every prefix is computed twice, behind the level and behind
/// the token for "not told" (`ReturnLevels.untold`), and each of a transition's tokens is read
/// where it belongs.
package final class JudgedTree: PrefixTreeModel {
    private let base: any PrefixTreeModel
    /// Where in a goal the level stands.
    private let place: Int
    /// What stands there for who judges.
    private let untold: Int
    private var goalCount = 0
    /// The position of every node in its window.
    private var positions: [Int32] = []
    private var batch: [PrefixNode] = []

    /// A tree of `base`, in whose goals the level has the place `place`.
    package init(_ base: any PrefixTreeModel, place: Int, untold: Int) {
        self.base = base
        self.place = place
        self.untold = untold
    }

    /// The tree of a search under `conditions`; nil where these have no levels of return.
    convenience init?(_ base: any PrefixTreeModel, under conditions: Conditions?) {
        guard let conditions, let returns = conditions.returns else { return nil }
        self.init(base, place: conditions.columns.count, untold: returns.untold)
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
            let judges = isJudged(positions.count - 1)
            batch.append(
                PrefixNode(
                    parent: parents.0, token: node.token, needsOutput: node.needsOutput && !judges))
            batch.append(
                PrefixNode(
                    parent: parents.1, token: node.token, needsOutput: node.needsOutput && judges))
        }
        _ = try base.extend(batch)
        return first..<positions.count
    }

    package func withLogits<Result>(
        of node: Int, _ body: (Span<Float>) throws -> Result
    ) rethrows -> Result {
        try base.withLogits(of: 2 * node + (isJudged(node) ? 1 : 0), body)
    }

    package func concurrently(_ body: (_ worker: Int) -> Void) { base.concurrently(body) }

    /// Whether the token after a node is a reward or value.
    private func isJudged(_ node: Int) -> Bool {
        (Int(positions[node]) + 1) % layout.transitionDimension >= layout.rewardIndex
    }
}
