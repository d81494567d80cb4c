/// The distinct windows of a search's rows as a tree: one node for each distinct prefix.
///
/// Nodes are numbered as they are inserted, parents before children. Children of a node are a
/// linked list, since there are few: beams rarely branch more than a dozen ways.
struct PrefixTree {
    /// Parent of each node; at position 0 -1 less the number of the goal before it.
    private(set) var parents: [Int32] = []
    /// Token of each node.
    private(set) var tokens: [Int32] = []
    /// Number of each node in the model, -1 while it has not been computed.
    var modelNodes: [Int32] = []
    private var firstChild: [Int32] = []
    private var nextSibling: [Int32] = []
    /// The first node behind each goal.
    private var firstRoots: [Int32] = []

    var count: Int { parents.count }

    mutating func removeAll() {
        parents.removeAll(keepingCapacity: true)
        tokens.removeAll(keepingCapacity: true)
        modelNodes.removeAll(keepingCapacity: true)
        firstChild.removeAll(keepingCapacity: true)
        nextSibling.removeAll(keepingCapacity: true)
        firstRoots.removeAll(keepingCapacity: true)
    }

    /// The node for `token` after `parent` (at position 0: -1 less the number of the goal),
    /// inserted if it is not there.
    mutating func child(of parent: Int32, token: Int32) -> Int32 {
        let root = parent < 0 ? Int(-1 - parent) : 0
        while parent < 0, firstRoots.count <= root { firstRoots.append(-1) }
        let first = parent < 0 ? firstRoots[root] : firstChild[Int(parent)]
        var node = first
        while node >= 0 {
            if tokens[Int(node)] == token { return node }
            node = nextSibling[Int(node)]
        }
        node = Int32(count)
        parents.append(parent)
        tokens.append(token)
        modelNodes.append(-1)
        firstChild.append(-1)
        nextSibling.append(first)
        if parent < 0 { firstRoots[root] = node } else { firstChild[Int(parent)] = node }
        return node
    }
}
