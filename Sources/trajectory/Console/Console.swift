import Experiments
import Files
import Foundation

/// How the commands talk: progress on standard error, results on standard output.
enum Console {
    /// Prints a line of progress; of several processes the first one does.
    static func progress(_ line: String) {
        if Together.isFirst { write(line + "\n") }
    }

    /// Writes to standard error.
    static func write(_ text: String) {
        // Where nobody can be told, the work goes on.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// Prints a result; of several processes the first one does.
    static func print(_ text: String) throws {
        if Together.isFirst { try OutputFile.print(text) }
    }

    /// Gives standard streams that were closed a place, so that no file that is opened later gets
    /// their number and with it what is meant for them.
    static func holdStreams() {
        // Open for reading: writing to it fails, as it must.
        for (number, mode) in [(0, O_RDONLY), (1, O_RDONLY), (2, O_WRONLY)] as [(Int32, Int32)]
        where fcntl(number, F_GETFD) < 0 {
            _ = open("/dev/null", mode)
        }
    }

    /// Prints a result: as JSON, or as text for a person.
    static func report(_ result: some Encodable, json: Bool, text: @autoclosure () -> String) throws
    {
        try json ? printJSON(result) : print(text())
    }

    /// Prints a result as JSON with sorted keys; whatever the keys are in Swift, here they are
    /// written as `mean_return`.
    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        try print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// A duration for a person, such as `3 min 12 s`.
    static func duration(seconds: Double) -> String { ResultsPage.duration(seconds) }
}

/// Says when it is time for another line of progress.
struct Pace {
    private let interval: Duration
    private var last = ContinuousClock.now

    init(every interval: Duration) {
        self.interval = interval
    }

    /// The seconds since the last line, if it is time for another.
    mutating func due(always: Bool = false) -> Double? {
        let now = ContinuousClock.now
        guard always || now - last > interval else { return nil }
        defer { last = now }
        return (now - last) / .seconds(1)
    }
}
