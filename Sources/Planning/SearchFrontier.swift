import Trajectories
import Transformer

/// The rows of a beam search: all their tokens, and the nodes of the model's tree they stand on.
///
/// All rows have the same length. A row's last token is pending until ``evaluate()`` is called, so
/// a token whose row is dropped first is never computed; rows with equal windows share their nodes.
struct SearchFrontier {
    let model: any PrefixTreeModel
    private(set) var rowCount: Int
    /// Tokens in every row.
    private(set) var length: Int
    /// What the search has cost so far.
    private(set) var statistics = PlanStatistics()
    /// Nodes of the model whose output was made by the last ``evaluate()``, without repetition.
    private(set) var nodes: [Int] = []
    /// For each row, the place in ``nodes`` of the node it stands on.
    private(set) var places: [Int32] = []
    /// First token of every row that the model sees.
    private(set) var windowStart = 0

    /// The distinct goals of the rows; a single empty one without goals.
    private let goals: [[Int]]
    /// Number of each row's goal.
    private var goalNumbers: [Int32]
    private let transition: Int
    private let valueIndex: Int
    /// The window is cropped when it is longer than `limit`, to at most `target` tokens.
    private let limit: Int
    private let target: Int
    /// Row after row, `capacity` tokens each, of which `length` count.
    private var tokens: [Int32]
    private let capacity: Int
    private var tree = PrefixTree()
    /// Node in `tree` of each row's last token.
    private var leaves: [Int32]
    /// The distinct leaves, in the order of ``nodes``.
    private var distinct: [Int32] = []
    /// For each node of `tree`, its place among the distinct leaves, or -1.
    private var placeOfNode: [Int32] = []
    private var batch: [PrefixNode] = []

    /// One row for each of `contexts`, which are equally long, with room for `additional` more
    /// tokens.
    ///
    /// The model sees `contextTransitions` of a row, or with the window `cached` as much as it can.
    /// `contextGoals` are the tokens of each one's goal, none for a model without goals.
    init(
        model: any PrefixTreeModel, contextTransitions: Int, window: PlannerOptions.Window,
        contexts: [[Int]], goals contextGoals: [[Int]], additional: Int
    ) throws(PlanningError) {
        let count = contexts[0].count
        precondition(contexts.allSatisfy { $0.count == count }, "contexts of different lengths")
        self.model = model
        transition = model.layout.transitionDimension
        valueIndex = model.layout.valueIndex
        target = min(model.contextLength, contextTransitions * transition - 1)
        limit = window == .exact ? target : model.contextLength
        rowCount = contexts.count
        length = count
        capacity = count + additional
        tokens = contexts.flatMap {
            $0.map(Int32.init) + Array(repeating: 0, count: additional)
        }
        leaves = Array(repeating: -1, count: contexts.count)
        var goals: [[Int]] = []
        var numbers: [[Int]: Int32] = [:]
        goalNumbers = contextGoals.map { goal in
            if let number = numbers[goal] { return number }
            let number = Int32(goals.count)
            numbers[goal] = number
            goals.append(goal)
            return number
        }
        self.goals = goals
        do { try model.begin(goals: goals) } catch { throw PlanningError(error) }
        slideWindow()
    }

    /// Tokens of a row the model sees at the next evaluation, or saw at the last one.
    var windowLength: Int { length - windowStart }

    /// The tokens of one row.
    func row(_ row: Int) -> ArraySlice<Int32> {
        tokens[(row * capacity)..<(row * capacity + length)]
    }

    /// Makes row `i` what row `sources[i]` was; the number of rows may change.
    mutating func select(_ sources: [Int32]) {
        var selected: [Int32] = []
        selected.reserveCapacity(sources.count * capacity)
        for source in sources {
            let start = Int(source) * capacity
            selected.append(contentsOf: tokens[start..<(start + capacity)])
        }
        tokens = selected
        leaves = sources.map { leaves[Int($0)] }
        if goals.count > 1 { goalNumbers = sources.map { goalNumbers[Int($0)] } }
        rowCount = sources.count
    }

    /// Adds one token to every row.
    mutating func append(_ next: [Int32]) {
        precondition(next.count == rowCount, "\(next.count) tokens for \(rowCount) rows")
        for row in 0..<rowCount {
            tokens[row * capacity + length] = next[row]
            leaves[row] = tree.child(of: leaves[row], token: next[row])
        }
        length += 1
    }

    /// How many more tokens the model can see before the window slides, once ``evaluate()`` has
    /// slid it.
    var room: Int {
        guard windowLength > limit else { return limit - windowLength }
        let excess = windowLength - target
        return limit - (windowLength - (excess + transition - 1) / transition * transition)
    }

    /// Adds tokens that the model drew itself, for which it computed nodes of each row's own,
    /// numbered from `first` on; nil where it did not.
    mutating func append(_ next: [Int32], nodesFrom first: Int?) {
        append(next)
        guard let first else { return }
        for row in 0..<rowCount where tree.nodes[Int(leaves[row])].modelNode < 0 {
            tree.place(Int(leaves[row]), inModel: Int32(first + row))
        }
        count(computed: rowCount, outputs: rowCount)
    }

    /// Fills ``nodes`` and ``places`` with what the model has already computed.
    mutating func stand() {
        placeRows()
        finishPlacing()
    }

    private mutating func finishPlacing() {
        nodes = distinct.map { Int(tree.nodes[Int($0)].modelNode) }
        for leaf in distinct { placeOfNode[Int(leaf)] = -1 }
    }

    /// Counts one call of the model for all rows.
    private mutating func count(computed: Int, outputs: Int) {
        statistics.nodesComputed += computed
        statistics.outputsComputed += outputs
        statistics.calls += 1
        statistics.rows += rowCount
        statistics.tokensForwardedNaively += rowCount * (model.goalDimension + windowLength)
    }

    /// Has the model draw tokens for all rows, which stand where ``stand()`` says, and times it.
    mutating func draw(
        _ draws: TokenDraws, with model: any TokenDrawingModel
    ) throws(PlanningError) -> DrawnTokens {
        let start = ContinuousClock.now
        defer { statistics.modelSeconds += start.secondsUntilNow }
        do { return try model.draw(draws) } catch { throw PlanningError(error) }
    }

    /// Has the model compute what is not yet computed of the rows' windows; fills ``nodes`` and
    /// ``places``.
    ///
    /// - Throws: ``PlanningError`` when the model's engine fails.
    mutating func evaluate() throws(PlanningError) {
        if windowLength > limit {
            slideWindow()
            statistics.windowsRebuilt += 1
        }
        let isNew = tree.count == 0
        if isNew { growTree() }
        placeRows()
        do throws(EngineError) {
            if isNew { try computeTree() } else { try computeLeaves() }
        } catch {
            throw PlanningError(error)
        }
        finishPlacing()
        count(computed: 0, outputs: 0)
    }

    /// Drops whole transitions from the left until at most `target` tokens are left, and with them
    /// the tree, since positions restart.
    private mutating func slideWindow() {
        let excess = max(0, windowLength - target)
        windowStart += (excess + transition - 1) / transition * transition
        tree.removeAll()
    }

    /// Builds the tree of all rows' windows.
    private mutating func growTree() {
        for row in 0..<rowCount {
            var leaf: Int32 = goals.count > 1 ? -1 - goalNumbers[row] : -1
            let start = row * capacity
            for index in (start + windowStart)..<(start + length) {
                leaf = tree.child(of: leaf, token: tokens[index])
            }
            leaves[row] = leaf
        }
    }

    /// Finds the distinct leaves and puts them in the order of their parents in the model, so that
    /// nodes that share their past lie side by side there.
    private mutating func placeRows() {
        let missing = tree.count - placeOfNode.count
        if missing > 0 { placeOfNode.append(contentsOf: repeatElement(-1, count: missing)) }
        distinct.removeAll(keepingCapacity: true)
        for leaf in leaves where placeOfNode[Int(leaf)] < 0 {
            placeOfNode[Int(leaf)] = 0
            distinct.append(leaf)
        }
        func parentInModel(_ node: Int32) -> Int32 {
            let parent = tree.nodes[Int(node)].parent
            return parent < 0 ? parent : tree.nodes[Int(parent)].modelNode
        }
        distinct.sort { (parentInModel($0), $0) < (parentInModel($1), $1) }
        for (place, leaf) in distinct.enumerated() { placeOfNode[Int(leaf)] = Int32(place) }
        places.removeAll(keepingCapacity: true)
        for leaf in leaves { places.append(placeOfNode[Int(leaf)]) }
    }

    /// Has the model compute a whole new tree in one call; only the leaves need their output.
    private mutating func computeTree() throws(EngineError) {
        batch.removeAll(keepingCapacity: true)
        var positions: [Int] = []
        positions.reserveCapacity(tree.count)
        for node in 0..<tree.count {
            let parent = Int(tree.nodes[node].parent)
            let isLeaf = placeOfNode[node] >= 0
            positions.append(parent < 0 ? 0 : positions[parent] + 1)
            batch.append(
                PrefixNode(
                    parent: parent < 0 ? .goal(-1 - parent) : .node(parent),
                    token: Int(tree.nodes[node].token), needsOutput: isLeaf))
            if isLeaf || positions[node] % transition != valueIndex {
                statistics.nodesComputed += 1
            }
        }
        let start = ContinuousClock.now
        try model.removeAll()
        let numbers = try model.extend(batch)
        statistics.modelSeconds += start.secondsUntilNow
        for node in 0..<tree.count { tree.place(node, inModel: Int32(numbers.lowerBound + node)) }
        statistics.outputsComputed += distinct.count
    }

    /// Has the model compute the leaves that it has not computed yet.
    private mutating func computeLeaves() throws(EngineError) {
        batch.removeAll(keepingCapacity: true)
        for leaf in distinct where tree.nodes[Int(leaf)].modelNode < 0 {
            let parent = Int(tree.nodes[Int(leaf)].parent)
            batch.append(
                PrefixNode(
                    parent: parent < 0
                        ? .goal(-1 - parent) : .node(Int(tree.nodes[parent].modelNode)),
                    token: Int(tree.nodes[Int(leaf)].token), needsOutput: true))
        }
        guard !batch.isEmpty else { return }
        let start = ContinuousClock.now
        var number = Int32(try model.extend(batch).lowerBound)
        statistics.modelSeconds += start.secondsUntilNow
        for leaf in distinct where tree.nodes[Int(leaf)].modelNode < 0 {
            tree.place(Int(leaf), inModel: number)
            number += 1
        }
        statistics.nodesComputed += batch.count
        statistics.outputsComputed += batch.count
    }
}

extension ContinuousClock.Instant {
    /// Seconds since this instant.
    var secondsUntilNow: Double { (ContinuousClock.now - self) / .seconds(1) }
}
