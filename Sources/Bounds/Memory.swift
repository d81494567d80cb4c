#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// About how much memory something will need, and for what.
///
/// Bytes are counted in floating point: a sum of products cannot overflow, and about is enough.
public struct MemoryNeed: Sendable, Hashable {
    /// What needs it, for a person, such as "training this model".
    public let purpose: String
    /// Bytes, about.
    public private(set) var bytes = 0.0

    /// Nothing yet.
    public init(_ purpose: String) {
        self.purpose = purpose
    }

    /// Adds room for `counts` multiplied, of `size` bytes each.
    public mutating func add(_ counts: Int..., size: Int = 4) {
        bytes += counts.reduce(Double(size)) { $0 * Double($1) }
    }

    /// Adds room for `numbers` single-precision numbers.
    public mutating func add(numbers: Double) {
        bytes += 4 * numbers
    }

    /// Refuses what needs more than the machine has.
    ///
    /// - Throws: ``MemoryError`` with both numbers.
    public func require(in memory: Double = Self.present) throws(MemoryError) {
        guard bytes > memory else { return }
        throw MemoryError(purpose: purpose, needed: bytes, present: memory)
    }

    /// Bytes of memory that this process may have at most: the machine's, or its container's.
    public static let present: Double = {
        var bytes = Double(ProcessInfo.processInfo.physicalMemory)
        // Of the container, in version 2 and version 1 of control groups.
        for file in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            guard let limit = Double(text.split(whereSeparator: \.isWhitespace).first ?? ""),
                limit > 0
            else { continue }
            bytes = min(bytes, limit)
        }
        return bytes
    }()
}

/// More memory would be needed than there is.
public struct MemoryError: Error, CustomStringConvertible, Sendable, Hashable {
    /// What needs it.
    public let purpose: String
    /// Bytes that it would need, about.
    public let needed: Double
    /// Bytes that there are.
    public let present: Double

    /// One line: what, how much, what to do.
    public var description: String {
        "\(purpose) would need about \(Self.gigabytes(needed)) of memory, this machine has "
            + "\(Self.gigabytes(present)); make it smaller"
    }

    private static func gigabytes(_ bytes: Double) -> String {
        let number = bytes / 1e9
        return number < 1000
            ? number.printed("%.1f GB") : number.printed("%.3g GB")
    }
}
