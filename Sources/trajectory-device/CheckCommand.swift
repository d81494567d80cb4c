import ArgumentParser
import CUDA

/// `trajectory-device check`: whether a card computes what it should.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compare what the card computes with the CPU and with the authors' code.",
        discussion: """
            One line for each check; the exit code is 1 where one fails. The golden tests need the \
            folders of their data, Tests/TransformerTests/Fixtures and \
            Tests/PlanningTests/Fixtures of the repository.

            --sanitizers starts this program again under each tool of compute-sanitizer (memcheck, \
            racecheck, initcheck, synccheck), with small models.
            """)

    /// What is checked.
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case device, decoder, training, muon, plans, sac
    }

    @OptionGroup var device: DeviceOptions

    @Option(parsing: .upToNextOption, help: "What to check; everything where not given.")
    var parts: [Part] = Part.allCases

    @Option(parsing: .upToNextOption, help: "Folders of the golden data.", completion: .directory)
    var golden: [String] = []

    @Flag(help: "Small models only; what an emulated card can do in seconds.")
    var quick = false

    @Flag(help: "Also run the small checks under compute-sanitizer, where it is installed.")
    var sanitizers = false

    func run() async throws {
        let device = try self.device.open()
        print(
            "\(device.name), \(device.architecture), "
                + "\(device.multiprocessorCount) multiprocessors, "
                + "\(device.memorySize >> 20) MiB, driver for CUDA \(device.driverVersion / 1000)."
                + "\(device.driverVersion % 1000 / 10), \(device.compiler.version)")
        if let compiler = device.compiler as? NVRTC { print("compiler: \(compiler.path)") }
        var checks = Checks()
        for part in parts {
            switch part {
            case .device: checks.checkDevice(device)
            case .decoder: checks.checkDecoder(device, quick: quick)
            case .training: checks.checkTraining(device, quick: quick)
            case .muon: checks.checkMuon(device, quick: quick)
            case .plans: checks.checkPlans(device, quick: quick)
            case .sac: checks.checkSoftActorCritic(device, quick: quick)
            }
        }
        if golden.isEmpty {
            print("skip  golden tests: give the folders of their data")
        } else {
            checks.checkGolden(device, GoldenFiles(folders: golden))
        }
        if sanitizers { checks.checkSanitizers(parts.map(\.rawValue), card: self.device.card) }
        print(checks.failures == 0 ? "all checks hold" : "\(checks.failures) checks fail")
        if checks.failures > 0 { throw ExitCode(1) }
    }
}
