import Foundation
import Synchronization

/// The signals that end a program, for commands that save what they have first.
package enum Signals {
    private static let first = Atomic<Int32>(0)

    /// The first signal that came; nil if none did, or nobody watches.
    package static var received: Int32? {
        let number = first.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// From now on the first of SIGINT, SIGTERM and SIGHUP is kept, and the second ends the program
    /// at once; returns whether one has come.
    package static func watch() -> @Sendable () -> Bool {
        let ignored = ignored
        // Who started us to live on, as nohup does, means it.
        for number in [SIGINT, SIGTERM, SIGHUP] where ignored >> (number - 1) & 1 == 0 {
            signal(number, receive)
        }
        return { received != nil }
    }

    /// The signals that this process ignores, signal 1 in the lowest bit.
    private static var ignored: UInt64 {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
        return line.flatMap {
            UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
        } ?? 0
    }

    private static let receive: @convention(c) (Int32) -> Void = { number in
        // Only what is allowed in a handler.
        let place = first.compareExchange(expected: 0, desired: number, ordering: .relaxed)
        if !place.exchanged { _exit(128 + number) }
        let text: StaticString = "stopping after this step; once more to stop at once\n"
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }
}
