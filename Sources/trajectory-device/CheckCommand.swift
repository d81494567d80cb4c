import ArgumentParser
import CUDA

/// `trajectory-device check`: whether a card computes what it should.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compare what the card computes with the CPU and with the authors' code.",
        discussion: """
            One line for each check; the exit code is 1 where one fails. The golden tests need the \
            folder of their data, Tests/TransformerTests/Fixtures of the repository.
            """)

    @OptionGroup var device: DeviceOptions

    @Option(help: "Folder of the golden data.", completion: .directory)
    var golden: String?

    @Flag(help: "Small models only; what an emulated card can do in seconds.")
    var quick = false

    func run() async throws {
        let device = try device.open()
        print(
            "\(device.name), \(device.architecture), "
                + "\(device.multiprocessorCount) multiprocessors, "
                + "\(device.memorySize >> 20) MiB, driver for CUDA \(device.driverVersion / 1000)."
                + "\(device.driverVersion % 1000 / 10), \(device.compiler.version)")
        if let compiler = device.compiler as? NVRTC { print("compiler: \(compiler.path)") }
        var checks = Checks()
        checks.checkDevice(device)
        checks.checkDecoder(device, quick: quick)
        checks.checkTraining(device, quick: quick)
        checks.checkPlans(device, quick: quick)
        checks.checkSoftActorCritic(device, quick: quick)
        if let golden {
            checks.checkGolden(device, folder: golden)
        } else {
            print("skip  golden tests: give the folder of their data")
        }
        print(checks.failures == 0 ? "all checks hold" : "\(checks.failures) checks fail")
        if checks.failures > 0 { throw ExitCode(1) }
    }
}
