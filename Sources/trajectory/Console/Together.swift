import ArgumentParser
import Foundation
import MPI
import Processes
import Synchronization

/// A command that several processes can run together, each a part of it.
protocol DividedCommand {}

/// The processes that `mpirun` or `srun` started together, this one among them.
enum Together {
    private static let joined = Mutex<MPIGroup?>(nil)

    /// Who they are.
    static var group: any ProcessGroup { joined.withLock(\.self) ?? SingleProcess() }

    /// Whether this is the process that talks to people.
    static var isFirst: Bool { (joined.withLock(\.self)?.rank ?? MPILauncher.rank ?? 0) == 0 }

    /// Joins the others, where there are any.
    static func join() throws {
        let variables = ProcessInfo.processInfo.environment
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let folder = program.deletingLastPathComponent().path
        let name = "libtrajectory-mpi.so"
        var seconds = 300.0
        if let text = variables["TRAJECTORY_MPI_TIMEOUT"] {
            guard let given = Double(text), given > 0, given <= 1e6 else {
                throw ValidationError(
                    "TRAJECTORY_MPI_TIMEOUT must be a positive number of seconds, found '\(text)'")
            }
            seconds = given
        }
        let group = try MPILauncher.join(
            bridge: variables["TRAJECTORY_MPI_BRIDGE"].map { [$0] } ?? [
                "\(folder)/\(name)", "\(folder)/../lib/trajectory/\(name)",
            ],
            patience: .seconds(seconds))
        joined.withLock { $0 = group }
    }

    /// Refuses what each process would do anew.
    static func require(_ command: any ParsableCommand) throws {
        guard !group.isAlone, !(command is any DividedCommand) else { return }
        throw ValidationError(
            "\(type(of: command)._commandName) runs in one process, and \(group.count) were started "
                + "together; train, collect, evaluate and predict divide their work")
    }

    /// Takes leave of the others, who do the same.
    static func leave() {
        joined.withLock { group in
            group?.leave()
            group = nil
        }
    }

    /// Ends all processes because of an error, which all may have or this one alone.
    static func fail(_ line: String) -> Never {
        guard let group = joined.withLock(\.self), group.count > 1 else {
            Console.progress("error: \(line)")
            leave()
            Foundation.exit(EXIT_FAILURE)
        }
        if group.rank > 0 {
            // Where the first one has the same error, it says so, and ends this one.
            Thread.sleep(forTimeInterval: 5)
            Console.write("error: \(group.name(of: group.rank)): \(line)\n")
        } else {
            Console.progress("error: \(line)")
        }
        group.abort(code: EXIT_FAILURE)
    }
}
