import Foundation
import Trajectories

/// What goes from a reader to the program that started it: a header, episodes, and an end or an
/// error.
///
/// Each message is four 64-bit words, of which the first says what it is, and the bytes whose
/// number the others say; both sides are the same program on the same machine.
struct ReaderPipe {
    /// The other side is gone, or sent what no reader sends.
    struct Failure: Error {}

    /// A message.
    enum Message {
        case header(ReaderHeader)
        case episode(EpisodeRows)
        case error(DatasetError)
        case end
    }

    private enum Kind: UInt64 {
        case header = 1
        case error, end, terminal, timeout, unfinished
    }

    let descriptor: Int32

    /// The most numbers of a message, so that a mad reader cannot ask for all memory.
    private static let mostNumbers: UInt64 = 1 << 36

    // MARK: - Writing

    func write(_ header: ReaderHeader) throws { try write(.header, JSONEncoder().encode(header)) }

    func write(_ error: DatasetError) throws { try write(.error, JSONEncoder().encode(error)) }

    func writeEnd() throws { try write(.end, Data()) }

    func write(_ rows: EpisodeRows) throws {
        let kind: Kind =
            switch rows.ending {
            case .terminal: .terminal
            case .timeout: .timeout
            case .unfinished: .unfinished
            }
        let parts = [rows.observations, rows.actions, rows.rewards]
        try write([kind.rawValue] + parts.map { UInt64($0.count) })
        for part in parts { try write(part) }
    }

    private func write(_ kind: Kind, _ data: Data) throws {
        try write([kind.rawValue, UInt64(data.count), 0, 0])
        try write([UInt8](data))
    }

    private func write<Element: BitwiseCopyable>(_ values: [Element]) throws {
        try values.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Foundation.write(
                    descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                guard count > 0 || errno == EINTR else { throw Failure() }
                done += max(0, count)
            }
        }
    }

    // MARK: - Reading

    /// The next message.
    ///
    /// - Throws: ``Failure`` when there is none, or none that makes sense.
    func next() throws -> Message {
        let words: [UInt64] = try read(4)
        guard let kind = Kind(rawValue: words[0]),
            words[1...].allSatisfy({ $0 <= ReaderPipe.mostNumbers })
        else { throw Failure() }
        let ending: Trajectory.Ending
        switch kind {
        case .header:
            return .header(try JSONDecoder().decode(ReaderHeader.self, from: data(words[1])))
        case .error:
            return .error(try JSONDecoder().decode(DatasetError.self, from: data(words[1])))
        case .end: return .end
        case .terminal: ending = .terminal
        case .timeout: ending = .timeout
        case .unfinished: ending = .unfinished
        }
        return .episode(
            EpisodeRows(
                observations: try read(Int(words[1])), actions: try read(Int(words[2])),
                rewards: try read(Int(words[3])), ending: ending))
    }

    private func data(_ count: UInt64) throws -> Data { Data(try read(Int(count)) as [UInt8]) }

    private func read<Element: BitwiseCopyable>(_ count: Int) throws -> [Element] {
        try Array(unsafeUninitializedCapacity: count) { buffer, initialized in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            let wanted = count * MemoryLayout<Element>.stride
            var done = 0
            while done < wanted {
                let count = Foundation.read(
                    descriptor, bytes.baseAddress.map { $0 + done }, wanted - done)
                guard count > 0 || (count < 0 && errno == EINTR) else { throw Failure() }
                done += max(0, count)
            }
            initialized = count
        }
    }
}
