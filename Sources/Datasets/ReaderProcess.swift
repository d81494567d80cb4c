import Foundation
import Synchronization
import Trajectories

/// A file that another process reads.
///
/// Opening starts a reader, which tells of the file and then hands on its episodes as far as the
/// pipe takes them: the first walk goes on from there, each further one starts a reader of its own.
final class ReaderProcess: EpisodeSource {
    let layout: TransitionLayout
    let rowCount: Int
    let attributes: [String: String]
    let notes: [String]
    let format: DatasetFile.Format

    private let url: URL
    private let options: TrajectoryDataset.ReadingOptions
    private let reader: DatasetReader
    private let waiting: Mutex<RunningReader?>

    init(
        _ url: URL, _ options: TrajectoryDataset.ReadingOptions, reader: DatasetReader
    ) throws {
        var options = options
        options.reader = nil
        let (running, header) = try RunningReader.start(url, options, reader, rewardsOnly: false)
        layout = TransitionLayout(
            observationDimension: header.observationDimension,
            actionDimension: header.actionDimension)
        rowCount = header.rowCount
        attributes = header.attributes
        notes = header.notes
        format = header.format
        self.url = url
        self.options = options
        self.reader = reader
        waiting = Mutex(running)
    }

    func walk(rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void) throws {
        var running = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        if rewardsOnly || running == nil {
            running = nil
            let (other, header) = try RunningReader.start(
                url, options, reader, rewardsOnly: rewardsOnly)
            guard header.rowCount == rowCount,
                header.observationDimension == layout.observationDimension,
                header.actionDimension == layout.actionDimension
            else {
                throw DatasetError(
                    .unreadable, file: url.path, "it has changed while it was read; start again")
            }
            running = other
        }
        var rows = 0
        while let episode = try running?.nextEpisode() {
            let count = episode.rewards.count
            rows += count
            guard 0 < count, rows <= rowCount,
                rewardsOnly
                    || (episode.observations.count == count * layout.observationDimension
                        && episode.actions.count == count * layout.actionDimension)
            else { throw RunningReader.failure(url, "it sent what does not fit together") }
            try body(episode)
        }
    }
}

/// A reader at work, which ends when nobody refers to it.
final class RunningReader: @unchecked Sendable {
    // Unchecked: whoever has it has taken it out of the source that started it.
    private let process: Process
    private let output: FileHandle
    private let pipe: ReaderPipe
    private let url: URL
    private let limits: ReaderLimits

    /// Starts a reader and waits for what it tells of the file.
    static func start(
        _ url: URL, _ options: TrajectoryDataset.ReadingOptions, _ reader: DatasetReader,
        rewardsOnly: Bool
    ) throws -> (RunningReader, ReaderHeader) {
        let request = DatasetReader.Request(
            url: url.absoluteURL, options: options, rewardsOnly: rewardsOnly,
            patience: reader.patience)
        let running = try RunningReader(request, reader)
        guard case .header(let header) = try running.next(), header.observationDimension > 0,
            header.actionDimension > 0, header.rowCount > 0
        else { throw failure(url, "it sent what does not fit together") }
        return (running, header)
    }

    private init(_ request: DatasetReader.Request, _ reader: DatasetReader) throws {
        url = request.url
        limits = ReaderLimits(url: request.url, patience: reader.patience)
        process = Process()
        process.executableURL = reader.program
        process.arguments = [
            DatasetReader.argument,
            String(decoding: try JSONEncoder().encode(request), as: UTF8.self),
        ]
        // A crash is told by us, in a line.
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        let channel = Pipe()
        process.standardOutput = channel
        output = channel.fileHandleForReading
        pipe = ReaderPipe(descriptor: output.fileDescriptor)
        #if os(Linux)
            // More than the usual 64 kB, so that the two wait less for each other.
            let setPipeSize: Int32 = 1031
            _ = fcntl(output.fileDescriptor, setPipeSize, 1 << 20)
        #endif
        do {
            try process.run()
        } catch {
            throw DatasetError(
                .unreadable, file: request.url.path,
                "its reader '\(reader.program.path)' cannot be started "
                    + "(\(error.localizedDescription))")
        }
    }

    /// The next episode; nil after the last.
    func nextEpisode() throws -> EpisodeRows? {
        switch try next() {
        case .episode(let rows): return rows
        case .end: return nil
        case .header, .error: throw Self.failure(url, "it sent what does not fit together")
        }
    }

    private func next() throws -> ReaderPipe.Message {
        let message: ReaderPipe.Message
        do {
            message = try pipe.next()
        } catch {
            throw ending()
        }
        if case .error(let error) = message { throw error }
        return message
    }

    /// Why the reader ended, for it hands on nothing more.
    private func ending() -> DatasetError {
        process.waitUntilExit()
        let code = process.terminationStatus
        guard process.terminationReason == .uncaughtSignal else {
            return Self.failure(url, "it ended with code \(code)")
        }
        switch code {
        case SIGXCPU:
            return Self.failure(
                url, "it got nowhere in \(limits.seconds) seconds of processor time")
        case SIGKILL: return Self.failure(url, "it was killed, perhaps for want of memory")
        default: return Self.failure(url, "it crashed (signal \(code))")
        }
    }

    static func failure(_ url: URL, _ detail: String) -> DatasetError {
        DatasetError(
            .unreadable, file: url.path,
            "the process that reads it for us failed: \(detail); the file is damaged, fetch or "
                + "write it again")
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }
}
