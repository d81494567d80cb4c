/// Why a card cannot be used, in one line.
public struct CUDAError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public enum Code: Sendable, Hashable {
        /// No CUDA driver is installed.
        case noDriver
        /// The driver is there but has no card, or not that one.
        case noDevice
        /// The driver or the card is older than what the kernels need.
        case tooOld
        /// NVIDIA's run-time compiler cannot be found.
        case noCompiler
        /// A kernel does not compile.
        case compilation
        /// The card's memory is full.
        case outOfMemory
        /// The driver refused a call.
        case failed
    }

    /// What kind of thing went wrong.
    public let code: Code
    /// What went wrong, where, and what to do.
    public let description: String

    /// An error with a one-line message.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
