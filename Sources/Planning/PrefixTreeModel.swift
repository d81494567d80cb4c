public import Trajectories
public import Transformer

/// A model that predicts the next token at the nodes of a growing tree of token prefixes.
///
/// Rows of a beam search share most of their tokens. Held as a tree, every distinct prefix is
/// computed once, whatever the number of rows that stand on it, and its keys and values are stored
/// once. A tree lasts for one window: where the window slides, positions restart at 0, so the
/// planner calls ``removeAll()`` and adds the surviving windows in one ``extend(_:)``. The goals of
/// ``begin(goals:)`` stay in front.
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
    /// A node whose parent is -1 stands behind the first, one whose parent is -2 behind the second.
    func begin(goals: [[Int]])
    /// Forgets all nodes, not the goals; node numbers start at 0 again.
    func removeAll()
    /// Adds nodes and returns their numbers, in the order given.
    ///
    /// A node stands one position after its parent. Only nodes with ``PrefixNode/needsOutput`` have
    /// their logits computed; a value token without output costs nothing, since nothing attends to
    /// it. Every node of a call may be computed together with the others.
    func extend(_ nodes: [PrefixNode]) -> Range<Int>
    /// The logits at a node that was added with ``PrefixNode/needsOutput``: ``vocabularySize``
    /// numbers for the token after it.
    func logits(of node: Int) -> [Float]
    /// Lends the logits at a node to `body` without copying them.
    ///
    /// The default goes through ``logits(of:)``; a model whose logits already lie in memory should
    /// lend those.
    func withLogits<Result>(of node: Int, _ body: (Span<Float>) throws -> Result) rethrows -> Result
    /// Threads on which ``concurrently(_:)`` runs; 1 where logits may be read by one thread only.
    var workerCount: Int { get }
    /// Runs `body` once on every worker, with the worker's number, and returns when all are done.
    ///
    /// Lets the planner choose tokens on the threads that computed their logits.
    func concurrently(_ body: (_ worker: Int) -> Void)
}

extension PrefixTreeModel {
    /// Lends a copy of the logits at a node to `body`.
    public func withLogits<Result>(
        of node: Int, _ body: (Span<Float>) throws -> Result
    ) rethrows -> Result {
        try body(logits(of: node).span)
    }

    /// None.
    public var goalDimension: Int { 0 }

    /// Forgets all nodes; for a model without goals.
    public func begin(goals: [[Int]]) {
        precondition(goals.allSatisfy(\.isEmpty), "goals for a model without goals")
        removeAll()
    }

    /// One.
    public var workerCount: Int { 1 }

    /// Runs `body` on this thread.
    public func concurrently(_ body: (_ worker: Int) -> Void) { body(0) }
}

extension PrefixDecoder: PrefixTreeModel {}
