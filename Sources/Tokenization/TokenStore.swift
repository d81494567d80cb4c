public import Trajectories

/// All transitions of a dataset as tokens, held compactly.
///
/// In memory, or mapped from a ``TokenFile``. A token takes one byte where the vocabulary allows
/// it, else two: a million transitions of HalfCheetah (25 tokens each) take 25 MB.
public struct TokenStore: Sendable {
    private enum Storage: Sendable {
        case narrow([UInt8])
        case wide([UInt16])
        case mappedNarrow(MappedIntegers<UInt8>)
        case mappedWide(MappedIntegers<UInt16>)
    }

    /// Which column of a transition is which.
    public let layout: TransitionLayout
    /// The token that stands for the end of a trajectory.
    public let terminationToken: Int
    /// The token of what is hidden of an observation; nil where nothing is.
    public let hiddenToken: Int?
    /// How each episode ends.
    public let endings: [Trajectory.Ending]
    /// The first row of each episode, then the number of rows.
    public let episodeStarts: [Int]
    /// Tokens of what holds for a whole episode, in front of its goal; empty where nothing is taken
    /// out of the observations.
    public private(set) var conditions: [[Int]] = []
    /// What stands in the place of the last condition, a level of return, where it is not told; nil
    /// without levels.
    private(set) var untoldLevel: Int?
    private let storage: Storage

    /// Number of tokens of an episode's conditions.
    public var conditionCount: Int { conditions.first?.count ?? 0 }
    /// Number of transitions.
    public var rowCount: Int { episodeStarts[episodeStarts.count - 1] }
    /// Number of episodes.
    public var episodeCount: Int { endings.count }
    /// Bytes that the tokens take.
    public var byteCount: Int {
        switch storage {
        case .narrow(let tokens): tokens.count
        case .wide(let tokens): 2 * tokens.count
        case .mappedNarrow(let tokens): tokens.count
        case .mappedWide(let tokens): 2 * tokens.count
        }
    }

    /// Tokenizes a table of transitions, of which `hiding` hides some numbers.
    ///
    /// `conditions` are the tokens of what holds for a whole episode, for each of them, or empty.
    public init(
        _ table: TransitionTable, discretizer: Discretizer, hiding: Hiding? = nil,
        conditions: [[Int]] = []
    ) {
        precondition(
            conditions.isEmpty || conditions.count == table.endings.count,
            "conditions of \(conditions.count) episodes of \(table.endings.count)")
        self.conditions = conditions
        precondition(
            discretizer.dimension == table.layout.transitionDimension
                && discretizer.vocabularySize <= 1 << 16,
            "a discretizer of \(discretizer.dimension) dimensions and \(discretizer.binCount) bins "
                + "does not fit transitions of \(table.layout.transitionDimension)")
        precondition(
            hiding == nil || discretizer.hiddenToken != nil,
            "the discretizer has no token for what is hidden")
        layout = table.layout
        hiddenToken = hiding.flatMap { _ in discretizer.hiddenToken }
        terminationToken = discretizer.terminationToken
        endings = table.endings
        episodeStarts = table.lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        storage =
            discretizer.vocabularySize <= 1 << 8
            ? .narrow(TokenStore.tokens(of: table, discretizer, hiding))
            : .wide(TokenStore.tokens(of: table, discretizer, hiding))
    }

    /// Whether the tokens lie in a file, from which they are read when they are looked at.
    public var isMapped: Bool {
        switch storage {
        case .narrow, .wide: false
        case .mappedNarrow, .mappedWide: true
        }
    }

    /// Adds the token of a level of return to what holds for each episode, behind those that there
    /// are.
    mutating func appendLevels(_ tokens: [Int], untold: Int) {
        precondition(tokens.count == episodeCount, "\(tokens.count) tokens of \(episodeCount)")
        untoldLevel = untold
        conditions =
            conditions.isEmpty ? tokens.map { [$0] } : zip(conditions, tokens).map { $0 + [$1] }
    }

    /// Bytes of a transition.
    var rowBytes: Int { rowCount > 0 ? byteCount / rowCount : 0 }

    /// Has some rows read that lie in a file, while the caller goes on.
    func willRead(rows: Range<Int>) {
        let width = layout.transitionDimension
        let range = (rows.lowerBound * width)..<(rows.upperBound * width)
        switch storage {
        case .narrow, .wide: break
        case .mappedNarrow(let tokens): tokens.willRead(range)
        case .mappedWide(let tokens): tokens.willRead(range)
        }
    }

    /// Takes the tokens of a mapped file, from the byte `offset` on; nil where one is beyond the
    /// bins.
    ///
    /// - Parameters:
    ///   - file: The file, which holds all the tokens.
    ///   - offset: Where they start.
    ///   - layout: Which column is which.
    ///   - binCount: Number of bins in each dimension.
    ///   - episodeStarts: The first row of each episode, then the number of rows.
    ///   - endings: How each episode ends.
    init?(
        mapped file: MappedFile, at offset: Int, layout: TransitionLayout, binCount: Int,
        episodeStarts: [Int], endings: [Trajectory.Ending]
    ) {
        self.layout = layout
        hiddenToken = nil
        terminationToken = binCount
        self.endings = endings
        self.episodeStarts = episodeStarts
        let count = episodeStarts[episodeStarts.count - 1] * layout.transitionDimension
        // One beyond the vocabulary would be used as an index into the model's weights.
        if binCount < 1 << 8 {
            let tokens = file.integers(at: offset, count: count) as MappedIntegers<UInt8>
            guard Int(tokens.maximum) < binCount else { return nil }
            storage = .mappedNarrow(tokens)
        } else {
            let tokens = file.integers(at: offset, count: count) as MappedIntegers<UInt16>
            guard Int(tokens.maximum) < binCount else { return nil }
            storage = .mappedWide(tokens)
        }
    }

    /// Number of rows of an episode.
    public func length(ofEpisode episode: Int) -> Int {
        episodeStarts[episode + 1] - episodeStarts[episode]
    }

    /// The tokens of one transition; `row` counts through all episodes.
    public func transition(_ row: Int) -> [Int] {
        let width = layout.transitionDimension
        let range = (row * width)..<((row + 1) * width)
        return switch storage {
        case .narrow(let tokens): tokens[range].map(Int.init)
        case .wide(let tokens): tokens[range].map(Int.init)
        case .mappedNarrow(let tokens): range.map { Int(tokens[$0]) }
        case .mappedWide(let tokens): range.map { Int(tokens[$0]) }
        }
    }

    /// One token of one transition; `row` counts through all episodes.
    func token(row: Int, column: Int) -> Int {
        let index = row * layout.transitionDimension + column
        return switch storage {
        case .narrow(let tokens): Int(tokens[index])
        case .wide(let tokens): Int(tokens[index])
        case .mappedNarrow(let tokens): Int(tokens[index])
        case .mappedWide(let tokens): Int(tokens[index])
        }
    }

    /// Writes a sequence and its successors, both padded with the termination token: of the `known`
    /// tokens from `start` on, the first `length` go to `inputs`, those after each to `targets`.
    func copy(
        from start: Int, known: Int, length: Int, to offset: Int, inputs: inout [Int32],
        targets: inout [Int32]
    ) {
        switch storage {
        case .narrow(let tokens):
            TokenStore.copy(tokens, start, known, length, offset, &inputs, &targets, end: padding)
        case .wide(let tokens):
            TokenStore.copy(tokens, start, known, length, offset, &inputs, &targets, end: padding)
        case .mappedNarrow(let tokens):
            TokenStore.copy(tokens, start, known, length, offset, &inputs, &targets, end: padding)
        case .mappedWide(let tokens):
            TokenStore.copy(tokens, start, known, length, offset, &inputs, &targets, end: padding)
        }
    }

    private var padding: Int32 { Int32(terminationToken) }

    private static func copy<Tokens: RandomAccessCollection>(
        _ tokens: Tokens, _ start: Int, _ known: Int, _ length: Int, _ offset: Int,
        _ inputs: inout [Int32], _ targets: inout [Int32], end: Int32
    ) where Tokens.Index == Int, Tokens.Element: FixedWidthInteger {
        for index in 0..<length {
            inputs[offset + index] = index < known ? Int32(tokens[start + index]) : end
            targets[offset + index] = index + 1 < known ? Int32(tokens[start + index + 1]) : end
        }
    }

    private static func tokens<Token: FixedWidthInteger>(
        of table: TransitionTable, _ discretizer: Discretizer, _ hiding: Hiding?
    ) -> [Token] {
        var tokens: [Token] = []
        tokens.reserveCapacity(table.values.count)
        var dimension = 0
        for value in table.values {
            tokens.append(
                Token(truncatingIfNeeded: discretizer.token(for: value, dimension: dimension)))
            dimension = dimension + 1 == discretizer.dimension ? 0 : dimension + 1
        }
        guard let hiding, let hidden = discretizer.hiddenToken else { return tokens }
        for row in 0..<table.rowCount {
            for column in discretizer.hiddenColumns where hiding.hides(row: row, column: column) {
                tokens[row * discretizer.dimension + column] = Token(truncatingIfNeeded: hidden)
            }
        }
        return tokens
    }
}
