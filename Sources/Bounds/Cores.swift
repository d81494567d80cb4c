#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How many cores there are to compute on.
public enum Cores {
    /// The numbers of the cores that this process may run on; nil where the system does not say.
    ///
    /// A batch system, `mpirun` or `taskset` may have given it but some of the machine's.
    public static var allowed: [Int]? {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
        return line.flatMap { list(String($0.dropFirst("Cpus_allowed_list:".count))) }
    }

    /// How many cores this process may run on.
    public static var available: Int {
        allowed?.count ?? ProcessInfo.processInfo.activeProcessorCount
    }

    /// The numbers of a list such as `0-3,8`; nil where it is none.
    package static func list(_ text: String) -> [Int]? {
        var numbers: [Int] = []
        for part in text.filter({ !$0.isWhitespace }).split(
            separator: ",", omittingEmptySubsequences: false)
        {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
                first >= 0, first <= last, last < 1 << 20
            else { return nil }
            numbers += first...last
        }
        return numbers.isEmpty ? nil : numbers
    }
}
