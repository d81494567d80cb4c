import Foundation

/// Feeds the readers of messages with what nobody vouches for; `Scripts/fuzz.sh` builds and runs it.
///
/// Built with `-sanitize=fuzzer -D FUZZING` it is libFuzzer's driver, whose target the variable
/// FUZZ_TARGET names. Built as usual it writes seeds and replays files.
@main
enum Fuzz {
    static let usage = """
        fuzz-server --seeds FOLDER       writes messages that are in order, a folder for each target
        fuzz-server TARGET FILE...       feeds files to a target: \
        \(MessageTarget.allCases.map(\.rawValue).joined(separator: ", "))
        """

    /// What feeds the target of that name; nil where there is none.
    static func target(named name: String) -> (@Sendable ([UInt8]) -> Void)? {
        guard let target = MessageTarget(rawValue: name) else { return nil }
        return { target.run($0) }
    }

    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        #if FUZZING
            if arguments.first != "--seeds" { FuzzDriver.run() }
        #endif
        guard arguments.count >= 2 else { return print(usage) }
        if arguments[0] == "--seeds" {
            return try writeSeeds(to: URL(fileURLWithPath: arguments[1]))
        }
        guard let feed = target(named: arguments[0]) else { return print(usage) }
        for file in arguments.dropFirst() {
            feed([UInt8](try Data(contentsOf: URL(fileURLWithPath: file))))
        }
    }

    private static func writeSeeds(to folder: URL) throws {
        for target in MessageTarget.allCases {
            let place = folder.appendingPathComponent(target.rawValue)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            for (name, bytes) in target.seeds() {
                try Data(bytes).write(to: place.appendingPathComponent(name))
            }
        }
    }
}
