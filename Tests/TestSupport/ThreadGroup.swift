import Foundation
public import Processes

/// Threads that are to each other as the processes of a group are, for tests.
public struct ThreadGroup: ProcessGroup {
    /// The number of this thread.
    public let rank: Int
    /// How many threads there are.
    public var count: Int { meeting.count }
    /// Names as of machines.
    public var hosts: [String] { (0..<count).map { "host\($0)" } }
    private let meeting: Meeting

    /// Runs `body` in so many threads, and returns what it returned in each, by rank.
    ///
    /// Where one throws, those that wait for it are told that the connection failed.
    public static func run<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (ThreadGroup) throws -> Value
    ) -> [Result<Value, any Error>] {
        let meeting = Meeting(count)
        let threads = (0..<count).map { rank in
            InBackground {
                let result = Result { try body(ThreadGroup(rank: rank, meeting: meeting)) }
                meeting.leave(isFailure: (try? result.get()) == nil)
                return result
            }
        }
        return threads.map { thread in Result { try thread.value() }.flatMap { $0 } }
    }

    /// Adds up in the order of the threads.
    public func sum(_ values: inout MutableSpan<Float>) throws(ProcessGroupError) {
        var own: [Float] = []
        for index in values.indices { own.append(values[index]) }
        let all = try meeting.exchange(own, rank)
        for index in values.indices { values[index] = all.reduce(0) { $0 + $1[index] } }
    }

    /// What each told.
    public func exchange(
        _ word: UInt64, isPatient: Bool
    ) throws(ProcessGroupError) -> [UInt64] { try meeting.exchange(word, rank) }

    /// What each told.
    public func gather(
        _ bytes: [UInt8], isPatient: Bool
    ) throws(ProcessGroupError) -> [[UInt8]] { try meeting.exchange(bytes, rank) }

    /// Where all meet, again and again.
    private final class Meeting: @unchecked Sendable {
        let count: Int
        private let condition = NSCondition()
        private var told: [Int: any Sendable] = [:]
        private var last: [Int: any Sendable] = [:]
        private var round = 0
        private var isBroken = false

        init(_ count: Int) {
            self.count = count
        }

        /// Waits for all, and returns what each told.
        func exchange<Value: Sendable>(
            _ value: Value, _ rank: Int
        ) throws(ProcessGroupError) -> [Value] {
            condition.lock()
            defer { condition.unlock() }
            told[rank] = value
            if told.count == count {
                (last, told) = (told, [:])
                round += 1
                condition.broadcast()
            } else {
                let own = round
                while round == own, !isBroken { condition.wait() }
                if round == own {
                    throw ProcessGroupError(.failed, "thread \(rank): another has left")
                }
            }
            let values = (0..<count).compactMap { last[$0] as? Value }
            guard values.count == count else {
                throw ProcessGroupError(.failed, "thread \(rank): the threads do not agree")
            }
            return values
        }

        func leave(isFailure: Bool) {
            condition.lock()
            if isFailure { isBroken = true }
            condition.broadcast()
            condition.unlock()
        }
    }
}
