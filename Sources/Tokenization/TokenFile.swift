import Files
public import Trajectories

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A tokenized dataset on disk, whose tokens are mapped rather than loaded.
///
/// The format, version 1, all numbers little-endian:
///
///     offset  bytes
///     0       8   0x93 "TRJTOK" newline
///     8       4   version
///     12      4   zero
///     16      8   bytes of the file
///     24      8   where the tokens start: 64
///     32      8   where the description starts
///     40      8   checksum of everything from byte 64 on
///     48      8   checksum of the 48 bytes before
///     56      8   zero
///     64          tokens, rows × dimensions, one byte each for up to 255 bins, else two
///                 edges of the bins, (bins + 1) × dimensions, 64-bit floating point
///                 first row of each episode, then the number of rows, 64-bit integers
///                 how each episode ends, a byte each: 0 terminal, 1 timeout, 2 unfinished
///                 the description, JSON
///
/// Each part is padded with zeros to a multiple of 8 bytes.
public struct TokenFile: Sendable {
    /// What the tokens were made from.
    public struct Source: Sendable, Hashable, Codable {
        /// Name of the file, without its folder.
        public var name: String
        /// Format of the file, such as `d4rl`.
        public var format: String
        /// The environment, if the data name it.
        public var environment: String?
        /// How many observation dimensions were kept, from the first on, where this was asked for.
        public var observationDimensions: Int?

        /// Describes a source.
        public init(
            name: String, format: String, environment: String? = nil,
            observationDimensions: Int? = nil
        ) {
            self.name = name
            self.format = format
            self.environment = environment
            self.observationDimensions = observationDimensions
        }
    }

    /// What the file says about itself.
    public struct Description: Sendable, Hashable, Codable {
        /// Which column of a transition is which.
        public let layout: TransitionLayout
        /// Number of transitions.
        public let rowCount: Int
        /// Number of episodes.
        public let episodeCount: Int
        /// The factor by which a reward counts less for each step it lies ahead.
        public let discount: Double
        /// What took the place of the last reward of episodes with a terminal state, if anything.
        public let terminationPenalty: Double?
        /// Number of bins in each dimension.
        public let binCount: Int
        /// Where the edges of the bins come from.
        public let strategy: Discretizer.Strategy
        /// What the tokens were made from.
        public let source: Source

        /// Bytes of a token.
        var tokenBytes: Int { binCount < 1 << 8 ? 1 : 2 }
        /// Where the parts start, and where the last ends.
        var parts: (edges: Int, starts: Int, endings: Int, end: Int)? {
            func padded(_ bytes: Int) -> Int { (bytes + 7) / 8 * 8 }
            // Numbers that a real file can have, so that nothing below overflows.
            let limit = 1 << 40
            guard 0 < rowCount, rowCount < limit, 0 < episodeCount, episodeCount <= rowCount,
                0 < layout.observationDimension, 0 < layout.actionDimension,
                layout.observationDimension < 1 << 20, layout.actionDimension < 1 << 20,
                0 < binCount, binCount < Int(UInt16.max)
            else { return nil }
            let width = layout.transitionDimension
            let edges = TokenFile.prefixBytes + padded(rowCount * width * tokenBytes)
            let starts = edges + 8 * (binCount + 1) * width
            let endings = starts + 8 * (episodeCount + 1)
            return (edges, starts, endings, endings + padded(episodeCount))
        }
    }

    static let magic: [UInt8] = [0x93] + Array("TRJTOK\n".utf8)
    static let version: UInt32 = 1
    static let prefixBytes = 64
    static let endings: [Trajectory.Ending] = [.terminal, .timeout, .unfinished]

    /// Where the file lies, as given by the caller.
    public let url: URL
    /// What the file says about itself.
    public let description: Description
    /// The bins.
    public let discretizer: Discretizer
    /// The tokens.
    public let store: TokenStore

    /// The bytes of a token file with checksums and length that fit them, so that tests reach what
    /// lies behind the checks.
    package static func mendingChecksums(of bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= prefixBytes, bytes.count.isMultiple(of: 8) else { return bytes }
        var bytes = bytes
        func put(_ word: UInt64, at place: Int) {
            for byte in 0..<8 {
                bytes[place + byte] = UInt8(truncatingIfNeeded: word >> (8 * byte))
            }
        }
        bytes.replaceSubrange(0..<magic.count, with: magic)
        put(UInt64(version), at: 8)
        put(UInt64(bytes.count), at: 16)
        put(UInt64(prefixBytes), at: 24)
        var checksum = WordChecksum()
        checksum.add(bytes: Array(bytes[prefixBytes...]))
        put(checksum.value, at: 40)
        checksum = WordChecksum()
        checksum.add(bytes: Array(bytes[..<48]))
        put(checksum.value, at: 48)
        put(0, at: 56)
        return bytes
    }

    /// Whether the file at `url` begins as token files do.
    public static func isTokenFile(_ url: URL) -> Bool {
        FilePart.first(magic.count, of: url) == magic
    }

    /// Maps a file and checks all of it: its length, checksums, episodes, edges and tokens.
    ///
    /// - Throws: ``TokenFileError`` when the file is missing, something else, of a later version,
    ///   or damaged.
    public init(contentsOf url: URL) throws(TokenFileError) {
        func refuse(_ code: TokenFileError.Code, _ detail: String) -> TokenFileError {
            TokenFileError(code: code, file: url.path, detail: detail)
        }
        func damaged(_ what: String) -> TokenFileError {
            refuse(.damaged, "\(what); make it again from the data")
        }
        guard let file = MappedFile(path: url.path) else {
            throw refuse(
                .unreadable,
                errno == ENOENT
                    ? "there is no such file; check the path" : String(cString: strerror(errno)))
        }
        guard file.count >= TokenFile.magic.count,
            file.bytes(0..<TokenFile.magic.count) == TokenFile.magic
        else {
            throw refuse(
                .foreign, "it is no token file; make one from the data")
        }
        guard file.count >= TokenFile.prefixBytes else { throw damaged("it is cut short") }
        let words = file.integers(at: 0, count: 8) as MappedIntegers<UInt64>
        guard words[1] == UInt64(TokenFile.version) else {
            throw refuse(
                .version,
                "it is of version \(words[1] & 0xFFFF_FFFF) of the format, this program reads "
                    + "\(TokenFile.version); make it again from the data")
        }
        var checksum = WordChecksum()
        checksum.add(words.prefix(6))
        guard checksum.value == words[6], words[7] == 0 else {
            throw damaged("its first bytes are damaged")
        }
        guard words[2] == UInt64(file.count), file.count.isMultiple(of: 8) else {
            throw damaged("it has \(file.count) bytes where it should have \(words[2])")
        }
        let content =
            file.integers(
                at: TokenFile.prefixBytes, count: (file.count - TokenFile.prefixBytes) / 8
            ) as MappedIntegers<UInt64>
        checksum = WordChecksum()
        checksum.add(content)
        guard checksum.value == words[5] else { throw damaged("its checksum does not match") }

        // The checksum tells accidents; what follows keeps a wrong file from being used as memory.
        guard words[3] == UInt64(TokenFile.prefixBytes), words[4] < words[2] else {
            throw damaged("its parts do not lie where they should")
        }
        let json = file.bytes(Int(words[4])..<file.count).prefix { $0 != 0 }
        guard let description = try? JSONDecoder().decode(Description.self, from: Data(json)),
            let parts = description.parts, parts.end == Int(words[4])
        else { throw damaged("what it says about itself does not hold") }
        let width = description.layout.transitionDimension
        let bits =
            file.integers(at: parts.edges, count: (description.binCount + 1) * width)
            as MappedIntegers<UInt64>
        do {
            discretizer = try Discretizer(
                strategy: description.strategy, validating: bits.map(Double.init(bitPattern:)),
                dimension: width, binCount: description.binCount)
        } catch {
            throw damaged(error.detail)
        }
        let starts =
            (file.integers(at: parts.starts, count: description.episodeCount + 1)
            as MappedIntegers<UInt64>).map { Int(clamping: $0) }
        let endings = file.bytes(parts.endings..<(parts.endings + description.episodeCount))
        guard starts[0] == 0, starts[starts.count - 1] == description.rowCount,
            zip(starts, starts.dropFirst()).allSatisfy({ $0 < $1 }),
            endings.allSatisfy({ Int($0) < TokenFile.endings.count })
        else { throw damaged("its episodes do not hold together") }
        guard
            let store = TokenStore(
                mapped: file, at: TokenFile.prefixBytes, layout: description.layout,
                binCount: description.binCount, episodeStarts: starts,
                endings: endings.map { TokenFile.endings[Int($0)] })
        else { throw damaged("a token is beyond the \(description.binCount) bins") }
        self.url = url
        self.description = description
        self.store = store
    }
}

extension TokenizedDataset {
    /// The training items of a token file.
    ///
    /// They equal those that the file's source gives with the same settings, bit for bit.
    ///
    /// - Parameters:
    ///   - file: The tokens.
    ///   - settings: `windowLength`, `maxPathLength`, `mask`, `goalColumns` and `goalRule`; all others give way
    ///     to
    ///     those with which the file was made.
    /// - Throws: ``DiscretizerError`` when the settings are unusable.
    public init(_ file: TokenFile, settings: Settings = Settings()) throws(DiscretizerError) {
        var settings = settings
        settings.discount = file.description.discount
        settings.terminationPenalty = TerminationPenalty(file.description.terminationPenalty)
        settings.binCount = file.description.binCount
        settings.strategy = file.description.strategy
        try settings.requireSound()
        try settings.requireNoHiding()
        try settings.requireNoConditions()
        try settings.requireGoalColumns(in: file.description.layout)
        self.init(file.store, file.discretizer, settings)
    }
}
