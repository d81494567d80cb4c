/// Why a request is refused.
public struct ServingError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of refusal.
    public enum Code: Sendable, Hashable {
        /// The request is not what it should be.
        case malformed
        /// There is nothing of that name.
        case unknown
        /// The key is missing or wrong.
        case unauthorized
        /// The request comes from a page in a browser.
        case forbidden
        /// The request is larger than it may be.
        case tooLarge
        /// Others are before it: too many connections or requests.
        case busy
        /// It took longer than it may.
        case late
        /// The server is ending.
        case ending
        /// The plan could not be made.
        case failed
    }
    /// What kind of refusal this is.
    public let code: Code
    /// What is wrong and what to do, for a person.
    public let detail: String

    /// A refusal.
    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// One line.
    public var description: String { detail }
}
