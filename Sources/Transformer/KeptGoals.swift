/// The goals whose keys and values a decoder keeps from tree to tree, by number, and which of them
/// the present tree has.
///
/// The goals' keys and values depend on nothing else, so a goal is computed when it is met first.
/// They lie in front of the tree's nodes, ``dimension`` places each.
package struct KeptGoals: Sendable {
    /// Goals that are kept at most, unless a tree has more.
    private static let limit = 256

    /// Tokens of a goal; 0 for a model without goals.
    package let dimension: Int
    /// Numbers of the present tree's goals; empty for a model without goals.
    package private(set) var present: [Int] = []
    private var numbers: [[Int]: Int] = [:]

    /// None yet, of `dimension` tokens each.
    package init(dimension: Int) {
        self.dimension = dimension
    }

    /// Places that the kept goals take: the first node's place.
    package var places: Int { numbers.count * dimension }

    /// Begins a tree behind these goals.
    ///
    /// - Returns: The goals that have to be computed, whose numbers run from `first` on.
    package mutating func begin(_ goals: [[Int]]) -> (fresh: [[Int]], first: Int) {
        guard dimension > 0 else {
            precondition(goals.allSatisfy(\.isEmpty), "goals for a model without goal")
            return ([], 0)
        }
        if numbers.count + goals.count > Self.limit, goals.contains(where: { numbers[$0] == nil }) {
            numbers = [:]
        }
        let first = numbers.count
        var fresh: [[Int]] = []
        for goal in goals where numbers[goal] == nil {
            precondition(
                goal.count == dimension,
                "a goal of \(goal.count) tokens for a model of \(dimension)")
            numbers[goal] = numbers.count
            fresh.append(goal)
        }
        present = goals.compactMap { numbers[$0] }
        return (fresh, first)
    }

    /// Forgets them, as where computing some has failed.
    package mutating func forget() {
        numbers = [:]
        present = []
    }
}
