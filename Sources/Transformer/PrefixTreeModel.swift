public import Trajectories

/// A model that predicts the next token at the nodes of a growing tree of token prefixes.
///
/// Rows of a beam search share most of their tokens. Held as a tree, every distinct prefix is
/// computed once, whatever the number of rows that stand on it, and its keys and values are stored
/// once. A tree lasts for one window: where the window slides, positions restart at 0, so the
/// planner calls ``removeAll()`` and adds the surviving windows in one ``extend(_:)``. The goals of
/// ``begin(goals:)`` stay in front.
///
/// An ``Engine`` makes these. One serves one search at a time. What a caller may get wrong (tokens,
/// parents, the length of a prefix) is its programming error; what the device may get wrong is
/// thrown.
public protocol PrefixTreeModel: AnyObject {
    /// Which token of a transition is which.
    var layout: TransitionLayout { get }
    /// Logits per node: the number of bins and one for the termination token.
    var vocabularySize: Int { get }
    /// Tokens the model can see at once (its block size).
    var contextLength: Int { get }
    /// Tokens of a goal, which stands in front of a sequence; 0 for a model without goals.
    var goalDimension: Int { get }
    /// Forgets all nodes; trees from now on grow behind these goals, each ``goalDimension`` tokens.
    ///
    /// Nodes name the goal they stand behind by its place: ``PrefixNode/Parent/goal(_:)``.
    func begin(goals: [[Int]]) throws(EngineError)
    /// Forgets all nodes, not the goals; node numbers start at 0 again.
    func removeAll() throws(EngineError)
    /// Adds nodes and returns their numbers, in the order given.
    ///
    /// A node stands one position after its parent. Only nodes with ``PrefixNode/needsOutput`` have
    /// their logits computed; a value token without output costs nothing, since nothing attends to
    /// it. Every node of a call may be computed together with the others. When the call returns,
    /// the logits are there to be read.
    func extend(_ nodes: [PrefixNode]) throws(EngineError) -> Range<Int>
    /// Lends the logits at a node that was added with ``PrefixNode/needsOutput`` to `body`:
    /// ``vocabularySize`` numbers for the token after it.
    func withLogits<Result>(of node: Int, _ body: (Span<Float>) throws -> Result) rethrows -> Result
    /// Bytes of this process's memory that a node takes, about.
    var bytesPerNode: Int { get }
    /// Threads on which ``concurrently(_:)`` runs; 1 where logits may be read by one thread only.
    var workerCount: Int { get }
    /// Runs `body` once on every worker, with the worker's number, and returns when all are done.
    ///
    /// Lets the planner choose tokens on the threads that computed their logits.
    func concurrently(_ body: (_ worker: Int) -> Void)
}

extension PrefixTreeModel {
    /// None.
    public var goalDimension: Int { 0 }

    /// Forgets all nodes; for a model without goals.
    public func begin(goals: [[Int]]) throws(EngineError) {
        precondition(goals.allSatisfy(\.isEmpty), "goals for a model without goals")
        try removeAll()
    }

    /// Its place in the tree.
    public var bytesPerNode: Int { 16 }

    /// One.
    public var workerCount: Int { 1 }

    /// Runs `body` on this thread.
    public func concurrently(_ body: (_ worker: Int) -> Void) { body(0) }

    /// A copy of the logits at a node, for who reads few of them.
    public func logits(of node: Int) -> [Float] {
        withLogits(of: node) { logits in logits.indices.map { logits[$0] } }
    }
}
