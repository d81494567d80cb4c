/// Finds the numbers at given ranks of the sorted order of a column that streams by several times,
/// in memory that does not grow with the column.
///
/// Numbers are mapped to integers of the same order, whose digits are settled from the highest on,
/// one a pass: a pass counts, for each prefix in which a wanted rank lies, the next digits that
/// follow it. The result is exact, bit for bit, but that -0 counts as 0.
struct RankSelection: Sendable {
    /// Bits of a digit.
    private let digitBits: Int
    /// Bits of a number: 32 where all are single-precision, else 64.
    private let keyBits: Int
    /// Ranks wanted, ascending, each counted within the numbers of its prefix.
    private var ranks: [Int]
    /// The prefix of the result of each rank, as far as it is settled.
    private var prefixes: [UInt64]
    /// Of each rank, the slot of its prefix.
    private var slots: [Int]
    /// For each settled digit: slot × digits to the slot of the longer prefix, -1 where no rank
    /// lies.
    private var children: [[Int32]] = []
    /// Slot × digits: how many numbers have this prefix and then this digit.
    private var counts: [UInt32]

    /// Passes over the column that are needed in all.
    var passCount: Int { (keyBits + digitBits - 1) / digitBits }
    /// Whether the results are known.
    var isDone: Bool { children.count == passCount }

    /// Prepares to find the numbers at `ranks`, ascending from 0.
    ///
    /// - Parameters:
    ///   - ranks: Ranks in the sorted order.
    ///   - isSinglePrecision: Whether every number is one in single precision, which saves half the
    ///     passes.
    ///   - digitBits: Bits settled in a pass; memory is 2^`digitBits` × 4 bytes for each rank and
    ///     pass.
    init(ranks: [Int], isSinglePrecision: Bool, digitBits: Int) {
        self.ranks = ranks
        self.digitBits = digitBits
        keyBits = isSinglePrecision ? 32 : 64
        prefixes = Array(repeating: 0, count: ranks.count)
        slots = Array(repeating: 0, count: ranks.count)
        counts = Array(repeating: 0, count: 1 << digitBits)
    }

    /// The digit size at which `columns` selections of `rankCount` ranks take about `bytes`.
    static func digitBits(columns: Int, rankCount: Int, bytes: Int) -> Int {
        (4...11).last { bits in
            let passes = (32 + bits - 1) / bits
            return columns * rankCount * (4 << bits) * (passes - 1) <= bytes
        } ?? 4
    }

    /// Counts column `column` of some rows of `width` numbers.
    mutating func add(_ values: [Float], column: Int, width: Int) {
        precondition(keyBits == 32, "this selection is of double-precision numbers")
        for index in stride(from: column, to: values.count, by: width) {
            let bits = (values[index] + 0).bitPattern
            let key = bits ^ (bits >> 31 == 1 ? .max : 1 << 31)
            count(UInt64(key) << 32)
        }
    }

    /// Counts some numbers.
    mutating func add(_ values: [Double]) {
        precondition(keyBits == 64, "this selection is of single-precision numbers")
        for value in values {
            let bits = (value + 0).bitPattern
            count(bits ^ (bits >> 63 == 1 ? .max : 1 << 63))
        }
    }

    @inline(__always)
    private mutating func count(_ key: UInt64) {
        var slot = 0
        for level in 0..<children.count {
            slot = Int(children[level][slot << digitBits | digit(key, level)])
            if slot < 0 { return }
        }
        counts[slot << digitBits | digit(key, children.count)] += 1
    }

    @inline(__always)
    private func digit(_ key: UInt64, _ level: Int) -> Int {
        // The last digit may reach below the lowest bit.
        let shift = 64 - digitBits * (level + 1)
        let mask = (UInt64(1) << UInt64(digitBits)) - 1
        return Int((shift >= 0 ? key >> UInt64(shift) : key << UInt64(-shift)) & mask)
    }

    /// Ends a pass: settles the next digit of each rank's number.
    mutating func finishPass() {
        let level = children.count
        var next = [Int32](repeating: -1, count: counts.count)
        var nextSlots = 0
        for index in ranks.indices {
            var place = slots[index] << digitBits
            let first = place
            // The prefix was counted as often as it has numbers, so one of its digits holds the
            // rank.
            while place < first + (1 << digitBits) - 1, ranks[index] >= Int(counts[place]) {
                ranks[index] -= Int(counts[place])
                place += 1
            }
            if next[place] < 0 {
                next[place] = Int32(nextSlots)
                nextSlots += 1
            }
            slots[index] = Int(next[place])
            let shift = 64 - digitBits * (level + 1)
            let digit = UInt64(place - first)
            prefixes[index] |= shift >= 0 ? digit << UInt64(shift) : digit >> UInt64(-shift)
        }
        children.append(next)
        counts = isDone ? [] : Array(repeating: 0, count: nextSlots << digitBits)
        if isDone { children = Array(repeating: [], count: passCount) }
    }

    /// The number at each rank, when all passes are done.
    var values: [Double] {
        precondition(isDone, "\(passCount - children.count) passes are missing")
        return prefixes.map { key in
            if keyBits == 32 {
                let bits = UInt32(key >> 32)
                return Double(Float(bitPattern: bits >> 31 == 1 ? bits ^ (1 << 31) : ~bits))
            }
            return Double(bitPattern: key >> 63 == 1 ? key ^ (1 << 63) : ~key)
        }
    }
}
