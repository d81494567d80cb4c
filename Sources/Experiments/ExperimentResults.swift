import Files
public import Foundation

/// The records of an experiment's steps, as the results file keeps them: a JSON object a line.
public struct ExperimentResults: Sendable {
    /// The experiment.
    public let experiment: Experiment
    /// Records of finished steps, by the step's name.
    private(set) var records: [String: StepRecord] = [:]

    /// Gathers what has been published before and what the run folder holds, which counts more.
    ///
    /// - Parameters:
    ///   - experiment: The experiment.
    ///   - file: The results file, if there is one already.
    ///   - folder: The run folder, if there is one.
    /// - Throws: ``ExperimentError`` when the results file cannot be read.
    public init(
        of experiment: Experiment, publishedIn file: URL, folder: RunFolder?
    ) throws(ExperimentError) {
        self.experiment = experiment
        let published = try Self.read(file)
        for step in experiment.steps {
            let recorded = folder?.record(of: step).flatMap { $0.result == nil ? nil : $0 }
            records[step.name] = recorded ?? published.first { $0.isOf(step) }
        }
    }

    /// The number at `key` in the result of the step of a name; nil if the step has not run.
    ///
    /// - Throws: ``ExperimentError`` when there is no step of the name, or no such number in its
    ///   result.
    func number(_ key: String, of step: String) throws(ExperimentError) -> Double? {
        guard experiment.steps.contains(where: { $0.name == step }) else {
            throw ExperimentError(
                code: .definition, subject: experiment.definition.name,
                detail: "a table or chart names the step '\(step)', which does not exist")
        }
        guard let result = records[step]?.result else { return nil }
        switch result[path: key] {
        case .number(let number): return number
        case .null: return nil
        case nil where Self.isAbsent(key, in: result): return nil
        default:
            throw ExperimentError(
                code: .definition, subject: experiment.definition.name,
                detail: "the result of step '\(step)' has no number '\(key)'")
        }
    }

    /// Whether a key is one that commands leave out where it has no value.
    private static func isAbsent(_ key: String, in result: JSONValue) -> Bool {
        guard case .object = result else { return false }
        return !key.contains(".")
    }

    /// Writes the records in the order of the steps.
    ///
    /// - Throws: ``ExperimentError`` when that fails.
    public func write(to url: URL) throws(ExperimentError) {
        do {
            var text = Data()
            for step in experiment.steps {
                guard let record = records[step.name] else { continue }
                text += try JSONEncoder.records.encode(record) + Data("\n".utf8)
            }
            try OutputFile.write(text, to: url)
        } catch let error as FileError {
            throw ExperimentError(code: .record, subject: error.file, detail: error.detail)
        } catch {
            throw ExperimentError(
                code: .record, subject: url.path, detail: error.localizedDescription)
        }
    }

    private static func read(_ url: URL) throws(ExperimentError) -> [StepRecord] {
        guard FileManager.default.fileExists(atPath: url.path) else { return [] }
        var records: [StepRecord] = []
        do {
            let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
            for line in lines {
                records.append(
                    try JSONDecoder.records.decode(StepRecord.self, from: Data(line.utf8)))
            }
        } catch {
            throw ExperimentError(
                code: .record, subject: url.path,
                detail: "line \(records.count + 1) is no record of a step; restore the file or "
                    + "remove it")
        }
        return records
    }
}
