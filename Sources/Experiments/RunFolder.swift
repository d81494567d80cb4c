import Files
public import Foundation

/// The folder of an experiment: what its steps write, a record of each, and their logs.
public struct RunFolder: Sendable {
    /// The folder, in which the steps run.
    public let url: URL

    /// Names a folder; ``create()`` makes it.
    public init(_ url: URL) {
        self.url = url
    }

    /// Makes the folder, if it is not there.
    ///
    /// - Throws: ``ExperimentError`` when that fails.
    public func create() throws(ExperimentError) {
        for folder in [records, logs] {
            do {
                try FileManager.default.createDirectory(
                    at: folder, withIntermediateDirectories: true)
            } catch {
                throw ExperimentError(
                    code: .record, subject: folder.path, detail: error.localizedDescription)
            }
        }
    }

    /// Keeps others out of the folder, which is made if need be, until the lock goes.
    ///
    /// - Throws: ``ExperimentError`` when another process runs an experiment in it.
    func lock() throws(ExperimentError) -> FolderLock {
        do {
            // A process that was killed may still be about to end.
            return try FolderLock(url, patience: .seconds(5))
        } catch {
            throw ExperimentError(code: .record, subject: error.file, detail: error.detail)
        }
    }

    private var records: URL { url.appendingPathComponent("records") }
    private var logs: URL { url.appendingPathComponent("logs") }

    /// Where a step's progress is written.
    public func log(of step: ExperimentStep) -> URL {
        logs.appendingPathComponent(step.fileName + ".log")
    }

    /// The record of a step, finished or stopped, if there is one of this very command.
    public func record(of step: ExperimentStep) -> StepRecord? {
        let file = records.appendingPathComponent(step.fileName + ".json")
        guard let data = try? Data(contentsOf: file), Seal.state(of: data) != .broken,
            let record = try? JSONDecoder.records.decode(StepRecord.self, from: data),
            record.isOf(step)
        else { return nil }
        return record
    }

    /// Writes the record of a step.
    ///
    /// - Throws: ``ExperimentError`` when that fails.
    public func write(_ record: StepRecord, of step: ExperimentStep) throws(ExperimentError) {
        let file = records.appendingPathComponent(step.fileName + ".json")
        do {
            try OutputFile.write(
                Seal.json(record, using: .records), to: file, followsLinks: false)
        } catch let error as FileError {
            throw ExperimentError(code: .record, subject: error.file, detail: error.detail)
        } catch {
            throw ExperimentError(
                code: .record, subject: file.path, detail: error.localizedDescription)
        }
    }
}

extension JSONEncoder {
    /// A record a line, with sorted keys.
    static var records: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            // The format cuts off what is below a millisecond, and a time that was read may lie a
            // little below the one that was written.
            try container.encode(date.addingTimeInterval(0.0005).formatted(Date.records))
        }
        return encoder
    }
}

extension JSONDecoder {
    /// What reads the records.
    static var records: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            try Date(decoder.singleValueContainer().decode(String.self), strategy: Date.records)
        }
        return decoder
    }
}

extension Date {
    /// ISO 8601 to the millisecond: steps may be shorter than a second, and their order counts.
    fileprivate static var records: ISO8601FormatStyle {
        ISO8601FormatStyle(includingFractionalSeconds: true)
    }
}
