/// The `capacity` best of a stream of scored candidates: largest score first, on ties the earlier.
///
/// A bounded heap with the worst kept candidate on top, so that most of a long stream costs one
/// comparison. Scores that are not numbers are never kept.
struct BestCandidates {
    struct Candidate {
        var score: Double
        /// Place in the stream, or any number that orders ties.
        var index: Int
    }

    private let capacity: Int
    private var heap: [Candidate] = []

    init(capacity: Int) {
        self.capacity = capacity
        heap.reserveCapacity(capacity)
    }

    mutating func insert(_ score: Double, _ index: Int) {
        let candidate = Candidate(score: score, index: index)
        if heap.count < capacity {
            guard !score.isNaN else { return }
            heap.append(candidate)
            var child = heap.count - 1
            while child > 0 {
                let parent = (child - 1) / 2
                guard Self.isBetter(heap[parent], heap[child]) else { break }
                heap.swapAt(parent, child)
                child = parent
            }
        } else if Self.isBetter(candidate, heap[0]) {
            heap[0] = candidate
            var parent = 0
            while true {
                var worst = parent
                for child in (2 * parent + 1)...(2 * parent + 2)
                where child < heap.count && Self.isBetter(heap[worst], heap[child]) {
                    worst = child
                }
                guard worst != parent else { break }
                heap.swapAt(worst, parent)
                parent = worst
            }
        }
    }

    /// What was kept, best first; starts anew afterwards.
    mutating func takeBestFirst() -> [Candidate] {
        defer { heap.removeAll(keepingCapacity: true) }
        return heap.sorted(by: Self.isBetter)
    }

    private static func isBetter(_ a: Candidate, _ b: Candidate) -> Bool {
        a.score > b.score || (a.score == b.score && a.index < b.index)
    }
}
