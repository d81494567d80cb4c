import Bounds
import Files
import Foundation
import Trajectories

/// A job that cannot be done with what it was given.
public struct JobError: Error, Hashable, CustomStringConvertible, Sendable {
    /// What is wrong.
    public enum Code: Sendable, Hashable {
        /// The result cannot be written where it shall go.
        case unwritable
        /// The job was told to stop; the text says what was kept and how to go on.
        case stopped
        /// The job was told to stop, and what it did is saved so that it can go on.
        case paused
        /// Neither the one who calls nor a file names the environment.
        case noEnvironment
        /// The environment has no goal at which episodes could end.
        case noGoal
        /// The environment is no maze in which paths could be drawn.
        case noMaze
        /// The environment is no simulation that could be drawn.
        case noSimulation
        /// A token file was given with reading options, which were settled when it was made.
        case settledReading
        /// Data that were tokenized before are not what the job needs.
        case tokenFile
        /// No held-out episode has the number that is to be drawn.
        case noHeldOutEpisode
        /// An episode or row of the data is not there, or too near to its end.
        case noWindow
        /// The data do not have what the job needs, such as long enough episodes.
        case unsuitableData
        /// A model, critic or ensemble does not fit the data or the task.
        case mismatch
        /// A folder is no run, or has nothing to show yet.
        case noRun
        /// There is a run already where one is to begin.
        case runExists
        /// A file is not what an evaluation printed, or there is none.
        case noReport
        /// Settings contradict each other.
        case invalidSetting
        /// Nothing says how many attention heads a state of PyTorch's has.
        case unknownHeads
        /// Nothing says which tokens of a state of PyTorch's are actions.
        case unknownLayout
        /// There are no bins for a state of PyTorch's, and no data to fit them to.
        case unknownBins
    }

    /// What is wrong.
    public let code: Code
    /// One line: what, where, what to do.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

extension URL {
    /// The path as it was given: what results and errors call the file.
    var given: String { relativePath }

    /// Makes sure before long work that its result can be written here.
    func requireWritable() throws(JobError) {
        do {
            try OutputFile.check(self)
        } catch {
            throw JobError(.unwritable, "\(error)")
        }
    }

    /// Makes sure before long work that this is or can become a folder to write in.
    func requireWritableFolder() throws(JobError) {
        do {
            try OutputFile.check(folder: self)
        } catch {
            throw JobError(.unwritable, "\(error)")
        }
    }

    /// What is kept of a result that is not whole goes here, so that its own name only ever holds
    /// the whole: `data.partial.hdf5` for `data.hdf5`.
    var partial: URL {
        let kind = pathExtension
        let folder = given.dropLast(lastPathComponent.count)
        let name = deletingPathExtension().lastPathComponent + ".partial"
        return URL(
            fileURLWithPath: folder + name + (kind.isEmpty ? "" : ".\(kind)"), relativeTo: baseURL)
    }
}

/// Asked between steps whether a job shall stop: save what it has, and say how to go on.
///
/// It is asked often, and on several threads at once.
public typealias StopQuestion = @Sendable () -> Bool

/// Refuses the first setting that is given and out of bounds.
func require(_ bound: Bound, _ settings: KeyValuePairs<String, Int?>) throws(JobError) {
    for (name, value) in settings {
        if let problem = bound.problem(name, value) { throw JobError(.invalidSetting, problem) }
    }
}

extension TransitionLayout {
    /// Refuses to keep more transitions than the machine has room for, and once more to write them.
    ///
    /// - Throws: `MemoryError` with both numbers.
    func requireMemory(transitions count: Int) throws(MemoryError) {
        var need = MemoryNeed("keeping \(count) transitions")
        need.add(count, 2, transitionDimension)
        try need.require()
    }
}

/// Seconds since `start`.
func elapsed(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start) / .seconds(1)
}
