import Foundation
import Transformer

/// Hands over to a program of the package `Server`, which lies beside this one once it was built.
enum Handover {
    /// Becomes another program, so that signals and exit codes are its own.
    ///
    /// - Throws: ``HandoverError`` where it is not there or does not start; else this never returns.
    static func exec(_ name: String, _ arguments: [String]) throws -> Never {
        guard
            let program = Checkpoint.program?.deletingLastPathComponent()
                .appendingPathComponent(name),
            FileManager.default.isExecutableFile(atPath: program.path)
        else { throw HandoverError.notBuilt(name) }
        var list = ([program.path] + arguments).map { strdup($0) } + [nil]
        execv(program.path, &list)
        throw HandoverError.notStarted(program.path, String(cString: strerror(errno)))
    }
}

/// Why another program did not take over.
enum HandoverError: Error, CustomStringConvertible {
    case notBuilt(String)
    case notStarted(String, String)

    /// One line: what, what to do.
    var description: String {
        switch self {
        case .notBuilt(let name): "the program '\(name)' is not built; run `make server`"
        case .notStarted(let file, let problem):
            "'\(file)' does not start (\(problem)); run `make server` again"
        }
    }
}
