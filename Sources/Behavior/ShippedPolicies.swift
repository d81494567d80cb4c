public import Episodes
import Foundation
public import Policies

extension PolicyParser {
    /// A parser that knows the levels which come with the package.
    public init(_ specification: EnvironmentSpecification) {
        self.init(specification, levelsIn: Self.installed ?? Self.bundled)
    }

    /// `share/trajectory/policies` beside the folder of the program, where it is installed.
    private static var installed: URL? {
        let folder = Bundle.main.bundleURL.resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("share/trajectory/policies")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }

    /// Where `swift build` puts them.
    private static var bundled: URL { Bundle.module.bundleURL.appendingPathComponent("Policies") }
}
