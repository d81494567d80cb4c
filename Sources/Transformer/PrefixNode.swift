/// One token to be added to a model's tree of prefixes.
public struct PrefixNode: Sendable, Hashable {
    /// The node this token follows: an existing node, an earlier node of the same call, or where the
    /// token stands at position 0 a negative number: -1 behind the first goal of the tree (or none),
    /// -2 behind the second, and so on.
    public var parent: Int
    /// The token, in `0..<vocabularySize`.
    public var token: Int
    /// Whether somebody will read the logits at this node.
    public var needsOutput: Bool

    /// Creates a node; see the properties.
    public init(parent: Int, token: Int, needsOutput: Bool) {
        self.parent = parent
        self.token = token
        self.needsOutput = needsOutput
    }
}
