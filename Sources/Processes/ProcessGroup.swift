/// Processes that do one job together, each a part of it; this process is one of them.
///
/// All of them make the same calls in the same order, one at a time; a call returns when all have
/// made it. What a call returns is the same in all of them, bit for bit, so that decisions that
/// are made of it are the same.
public protocol ProcessGroup: Sendable {
    /// The number of this process, from 0. Process 0 alone writes files and talks to people.
    var rank: Int { get }
    /// How many processes there are.
    var count: Int { get }
    /// The names of the machines that the processes run on, by rank.
    var hosts: [String] { get }

    /// Replaces `values` by their sums over all processes, element by element.
    ///
    /// - Throws: ``ProcessGroupError`` when another process does not answer in time, or the
    ///   connection fails.
    func sum(_ values: inout MutableSpan<Float>) throws(ProcessGroupError)

    /// Tells all the others a number.
    ///
    /// - Parameters:
    ///   - word: The number.
    ///   - isPatient: Whether to wait as long as it takes; else as ``sum(_:)`` does.
    /// - Returns: What each told, by rank.
    /// - Throws: ``ProcessGroupError``.
    func exchange(_ word: UInt64, isPatient: Bool) throws(ProcessGroupError) -> [UInt64]

    /// Tells all the others some bytes, any number of them.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - isPatient: As in ``exchange(_:isPatient:)``.
    /// - Returns: What each told, by rank.
    /// - Throws: ``ProcessGroupError``.
    func gather(_ bytes: [UInt8], isPatient: Bool) throws(ProcessGroupError) -> [[UInt8]]
}

extension ProcessGroup {
    /// Whether this is the process that writes files and talks to people.
    public var isFirst: Bool { rank == 0 }

    /// Whether it is the only one.
    public var isAlone: Bool { count == 1 }

    /// This process's share of `total` things in a row; the shares are as equal as can be, and lie
    /// in the order of the processes.
    public func share(of total: Int) -> Range<Int> {
        (total * rank / count)..<(total * (rank + 1) / count)
    }

    /// Whether it is so in any process.
    public func any(_ isSo: Bool, isPatient: Bool = true) throws(ProcessGroupError) -> Bool {
        try exchange(isSo ? 1 : 0, isPatient: isPatient).contains { $0 != 0 }
    }

    /// Tells all the others as many numbers as they tell; returns what each told, by rank.
    public func gather(
        _ numbers: [Double], isPatient: Bool = true
    ) throws(ProcessGroupError) -> [[Double]] {
        var bytes: [UInt8] = []
        for number in numbers {
            let bits = number.bitPattern
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
            }
        }
        return try gather(bytes, isPatient: isPatient).map { bytes in
            stride(from: 0, to: bytes.count / 8 * 8, by: 8).map { first in
                Double(
                    bitPattern: (0..<8).reduce(0) { $0 | UInt64(bytes[first + $1]) << (8 * $1) })
            }
        }
    }

    /// "process 1 of 4 on node2".
    public func name(of rank: Int) -> String {
        "process \(rank) of \(count)" + (hosts.indices.contains(rank) ? " on \(hosts[rank])" : "")
    }
}

/// A process that has the whole job to itself.
public struct SingleProcess: ProcessGroup {
    /// The only one.
    public let rank = 0
    /// One.
    public let count = 1
    /// It is where it is.
    public let hosts: [String] = []

    /// Nobody else.
    public init() {}

    /// They are the sums already.
    public func sum(_ values: inout MutableSpan<Float>) throws(ProcessGroupError) {}

    /// What was told.
    public func exchange(
        _ word: UInt64, isPatient: Bool
    ) throws(ProcessGroupError) -> [UInt64] { [word] }

    /// What was told.
    public func gather(
        _ bytes: [UInt8], isPatient: Bool
    ) throws(ProcessGroupError) -> [[UInt8]] { [bytes] }
}

/// Why processes could not do a job together.
public struct ProcessGroupError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// What is needed to reach the others is not there.
        case unavailable
        /// Others did not answer in time.
        case timedOut
        /// The connection failed.
        case failed
    }
    /// What kind of failure this is.
    public let code: Code
    /// What went wrong and what to do.
    public let detail: String

    /// Creates an error.
    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String { "cannot compute in several processes: \(detail)" }
}
