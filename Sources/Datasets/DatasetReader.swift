public import Foundation
import Trajectories

/// A program that reads datasets for another one: what a damaged file does to the HDF5 library, it
/// does to that program alone.
///
/// The library can crash, or run for ever, on a file of which one bit is wrong. A program that
/// begins with ``serveIfAsked()`` can name itself as its reader (``thisProgram``):
///
/// ```swift
/// DatasetReader.serveIfAsked()
/// var options = TrajectoryDataset.ReadingOptions()
/// options.reader = .thisProgram
/// let data = try TrajectoryDataset(contentsOf: url, options: options)
/// ```
///
/// The episodes come through a pipe. The reader may use a bounded time between two of them and a
/// bounded memory; what ends it becomes a ``DatasetError``.
public struct DatasetReader: Sendable, Hashable, Codable {
    /// The program, which must begin with ``serveIfAsked()``.
    public var program: URL
    /// Seconds of processor time that it may use without handing on an episode, beside a second for
    /// every 10 MB of the file.
    public var patience = 20

    /// A reader that is another program.
    public init(program: URL) {
        self.program = program
    }

    /// The program that is running.
    public static var thisProgram: DatasetReader {
        #if os(Linux)
            DatasetReader(program: URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath())
        #else
            DatasetReader(program: Bundle.main.executableURL ?? URL(fileURLWithPath: "/"))
        #endif
    }

    /// The first argument of a program that shall read, which no person types.
    static let argument = "--serve-dataset"

    /// What a reader is to do.
    struct Request: Codable {
        var url: URL
        var options: TrajectoryDataset.ReadingOptions
        var rewardsOnly: Bool
        var patience: Int
    }

    /// Reads a dataset for the program that started this one, and ends, if it was started for that;
    /// else returns at once.
    public static func serveIfAsked() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, arguments[1] == argument else { return }
        guard let request = try? JSONDecoder().decode(Request.self, from: Data(arguments[2].utf8))
        else { exit(EXIT_FAILURE) }
        // Without what the C library would do on the way out.
        _exit(serve(request) ? EXIT_SUCCESS : EXIT_FAILURE)
    }

    private static func serve(_ request: Request) -> Bool {
        let limits = ReaderLimits(url: request.url, patience: request.patience)
        limits.apply()
        let pipe = ReaderPipe(descriptor: STDOUT_FILENO)
        do {
            do {
                let (format, source) = try DatasetFile.open(request.url, request.options)
                try pipe.write(ReaderHeader(format, source))
                try source.walk(rewardsOnly: request.rewardsOnly) {
                    try pipe.write($0)
                    limits.renew()
                }
                try pipe.writeEnd()
            } catch let failure as ReaderPipe.Failure {
                throw failure
            } catch {
                try pipe.write(DatasetError.mapping(error, request.url))
            }
            return true
        } catch {
            // Nobody listens any more.
            return false
        }
    }
}

/// What a reader tells of a file before its episodes.
struct ReaderHeader: Codable, Sendable {
    var format: DatasetFile.Format
    var observationDimension: Int
    var actionDimension: Int
    var rowCount: Int
    var attributes: [String: String]
    var notes: [String]

    init(_ format: DatasetFile.Format, _ source: any EpisodeSource) {
        self.format = format
        observationDimension = source.layout.observationDimension
        actionDimension = source.layout.actionDimension
        rowCount = source.rowCount
        attributes = source.attributes
        notes = source.notes
    }
}

/// What a reader may use.
struct ReaderLimits {
    /// Seconds of processor time between two episodes.
    let seconds: UInt64
    /// Bytes of addresses.
    let memory: UInt64

    init(url: URL, patience: Int) {
        let size = ReaderLimits.size(of: url)
        seconds = UInt64(max(1, patience)) + size / 10_000_000
        // Compressed data take a multiple of the file.
        memory = min(
            max(ProcessInfo.processInfo.physicalMemory, 4 << 30),
            (4 << 30) + min(size, 1 << 40) * 32)
    }

    private static func size(of url: URL) -> UInt64 {
        let main = url.appendingPathComponent("data").appendingPathComponent(MinariFile.dataName)
        let place = FileManager.default.fileExists(atPath: main.path) ? main : url
        let attributes = try? FileManager.default.attributesOfItem(atPath: place.path)
        return (attributes?[.size] as? NSNumber)?.uint64Value ?? 0
    }

    func apply() {
        // A process inherits which signals are blocked.
        var signals = sigset_t()
        sigemptyset(&signals)
        pthread_sigmask(SIG_SETMASK, &signals, nil)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        var most = rlimit(rlim_cur: rlim_t(memory), rlim_max: rlim_t(memory))
        #if os(Linux)
            setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &most)
        #else
            setrlimit(RLIMIT_CORE, &none)
            setrlimit(RLIMIT_AS, &most)
        #endif
        renew()
    }

    /// Grants the time anew.
    func renew() {
        var usage = rusage()
        var limit = rlimit()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            let kind = __rlimit_resource_t(RLIMIT_CPU.rawValue)
        #else
            getrusage(RUSAGE_SELF, &usage)
            let kind = RLIMIT_CPU
        #endif
        let used = UInt64(max(0, usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)) + 1
        getrlimit(kind, &limit)
        limit.rlim_cur = min(rlim_t(used + seconds), limit.rlim_max)
        setrlimit(kind, &limit)
    }
}
