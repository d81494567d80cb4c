/// The distinct windows of a search's rows as a tree: one node for each distinct prefix.
///
/// Nodes are numbered as they are inserted, parents before children. Children of a node are a
/// linked list, since there are few: beams rarely branch more than a dozen ways.
struct PrefixTree {
    /// A prefix, by its last token.
    struct Node {
        /// Its parent; at position 0 -1 less the number of the goal before it.
        let parent: Int32
        /// Its last token.
        let token: Int32
        /// Its number in the model, -1 while it has not been computed.
        var modelNode: Int32 = -1
        fileprivate var firstChild: Int32 = -1
        fileprivate let nextSibling: Int32
    }

    /// The prefixes.
    private(set) var nodes: [Node] = []
    /// The first node behind each goal.
    private var firstRoots: [Int32] = []

    var count: Int { nodes.count }

    mutating func removeAll() {
        nodes.removeAll(keepingCapacity: true)
        firstRoots.removeAll(keepingCapacity: true)
    }

    /// Notes that the model has computed a node under this number.
    mutating func place(_ node: Int, inModel number: Int32) {
        nodes[node].modelNode = number
    }

    /// The node for `token` after `parent` (at position 0: -1 less the number of the goal),
    /// inserted if it is not there.
    mutating func child(of parent: Int32, token: Int32) -> Int32 {
        let root = parent < 0 ? Int(-1 - parent) : 0
        while parent < 0, firstRoots.count <= root { firstRoots.append(-1) }
        let first = parent < 0 ? firstRoots[root] : nodes[Int(parent)].firstChild
        var node = first
        while node >= 0 {
            let candidate = nodes[Int(node)]
            if candidate.token == token { return node }
            node = candidate.nextSibling
        }
        node = Int32(count)
        nodes.append(Node(parent: parent, token: token, nextSibling: first))
        if parent < 0 { firstRoots[root] = node } else { nodes[Int(parent)].firstChild = node }
        return node
    }
}
