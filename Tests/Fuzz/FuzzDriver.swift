#if FUZZING
    import Foundation

    /// libFuzzer's main loop.
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<Int32>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>>>,
        _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    ) -> Int32

    /// What libFuzzer calls with every input.
    @_cdecl("LLVMFuzzerTestOneInput")
    public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        FuzzDriver.feed(Array(UnsafeBufferPointer(start: bytes, count: count)))
        return 0
    }

    /// libFuzzer over the target of ``Fuzz`` that the environment names; the policy server's package
    /// has a link to this file.
    enum FuzzDriver {
        static let feed: @Sendable ([UInt8]) -> Void = {
            let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
            guard let feed = Fuzz.target(named: name) else {
                fatalError("FUZZ_TARGET is '\(name)', no target")
            }
            return feed
        }()

        /// Runs libFuzzer with the command line, and ends the program.
        static func run() -> Never {
            var count = CommandLine.argc
            var arguments = UnsafeMutableRawPointer(CommandLine.unsafeArgv).assumingMemoryBound(
                to: UnsafeMutablePointer<CChar>.self)
            exit(runDriver(&count, &arguments) { testOneInput($0, $1) })
        }
    }
#endif
