/// One token to be added to a model's tree of prefixes.
public struct PrefixNode: Sendable, Hashable {
    /// What a token follows.
    public enum Parent: Sendable, Hashable {
        /// Nothing but a goal of ``PrefixTreeModel/begin(goals:)``, by its place there, or for a
        /// model without goals nothing at all: the token stands at position 0.
        case goal(Int)
        /// An existing node, or an earlier node of the same call.
        case node(Int)

        /// Nothing: the only root of a tree without goals, or the first goal's.
        public static let root = Parent.goal(0)
    }

    /// What this token follows.
    public var parent: Parent
    /// The token, in `0..<vocabularySize`.
    public var token: Int
    /// Whether somebody will read the logits at this node.
    public var needsOutput: Bool

    /// Creates a node; see the properties.
    public init(parent: Parent, token: Int, needsOutput: Bool) {
        self.parent = parent
        self.token = token
        self.needsOutput = needsOutput
    }
}
