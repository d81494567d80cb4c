import Foundation

/// The machine that runs this program.
public enum Machine {
    /// The processor's name and how many cores there are.
    public static var description: String {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let lines =
            (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
            .split(separator: "\n") ?? []
        let name = lines.first { $0.hasPrefix("model name") }?
            .split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
        return "\(cores) cores of \(name ?? "an unknown processor")"
    }
}
