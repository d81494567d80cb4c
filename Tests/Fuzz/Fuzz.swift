import Datasets
import Foundation
import FuzzTargets

/// Feeds parsers with what nobody vouches for; `Scripts/fuzz.sh` builds and runs it.
///
/// Built with `-sanitize=fuzzer -D FUZZING` it is libFuzzer's driver, whose target the variable
/// FUZZ_TARGET names. Built as usual it writes seeds and replays files.
@main
enum Fuzz {
    static let usage = """
        fuzz --seeds FOLDER       writes files that are in order, a folder for each target
        fuzz TARGET FILE...       feeds files to a target: \
        \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))
        """

    /// What feeds the target of that name; nil where there is none.
    static func target(named name: String) -> (@Sendable ([UInt8]) -> Void)? {
        guard let target = FuzzTarget(rawValue: name) else { return nil }
        return { target.run($0) }
    }

    static func main() throws {
        // The reader of HDF5 files is this program, too.
        DatasetReader.serveIfAsked()
        #if FUZZING
            if CommandLine.arguments.dropFirst().first != "--seeds" { FuzzDriver.run() }
        #endif
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count >= 2, let first = arguments.first else { return print(usage) }
        if first == "--seeds" {
            return try FuzzTarget.writeSeeds(to: URL(fileURLWithPath: arguments[2]))
        }
        guard let feed = target(named: first) else { return print(usage) }
        for file in arguments.dropFirst() {
            feed([UInt8](try Data(contentsOf: URL(fileURLWithPath: file))))
        }
    }
}
