import Foundation
import FuzzTargets
import TestSupport
import Testing

/// What `make fuzz` found is fed to the parsers again: `Fixtures` has a folder for each target.
@Suite struct FuzzTargetsTests {
    /// Those read in this process; HDF5 is left to the program's tests, whose reader it is.
    static let targets = FuzzTarget.allCases.filter { $0 != .hdf5 }

    @Test(arguments: targets)
    func `what was found once is refused or used, and the seeds are accepted`(
        _ target: FuzzTarget
    ) throws {
        let folder = try TemporaryFolder()
        try FuzzTarget.writeSeeds(to: folder.url, of: [target])
        let own = folder.url.appendingPathComponent(target.rawValue)
        for name in try FileManager.default.contentsOfDirectory(atPath: own.path).sorted() {
            let bytes = [UInt8](try Data(contentsOf: own.appendingPathComponent(name)))
            #expect(throws: Never.self, "\(name)") { try target.feed(bytes) }
        }
        let found = Bundle.module.bundleURL.appendingPathComponent("Fixtures/\(target.rawValue)")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: found.path)) ?? []
        for name in names.sorted() {
            let started = ContinuousClock.now
            target.run([UInt8](try Data(contentsOf: found.appendingPathComponent(name))))
            #expect(ContinuousClock.now - started < .seconds(20), "\(name)")
        }
    }
}
