import Foundation

/// How the commands talk: progress on standard error, results on standard output.
enum Console {
    /// Prints a line of progress.
    static func progress(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    /// Prints a result as JSON with sorted keys.
    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// A duration in seconds.
    static func seconds(_ duration: Duration) -> Double {
        duration / .seconds(1)
    }

    /// A duration for a person, such as `3m12s`.
    static func duration(_ duration: Duration) -> String {
        let total = Int(seconds(duration).rounded())
        return total < 60 ? "\(total)s" : "\(total / 60)m\(total % 60)s"
    }

    /// Makes sure before long work that its result can be written at `url`.
    static func requireFolder(of url: URL) throws {
        let folder = url.deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw CommandError(
                description: "cannot write '\(url.path)': there is no writable folder "
                    + "'\(folder)'; create it or choose another place")
        }
    }
}

/// A failure that a command finds by itself; one line: what, where, what to do.
struct CommandError: Error, CustomStringConvertible {
    let description: String
}
