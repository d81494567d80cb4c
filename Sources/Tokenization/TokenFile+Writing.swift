import Files
public import Trajectories

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension TokenFile {
    /// Tokenizes a dataset that is read several times rather than held in memory, and writes the
    /// file atomically.
    ///
    /// Memory holds the counts from which the edges come (about 64 MB), a few megabytes of output,
    /// the longest episode, and 9 bytes an episode.
    ///
    /// - Parameters:
    ///   - stream: The episodes.
    ///   - settings: How they become tokens; windows and masks do not matter here.
    ///   - bins: Bins that were fitted before, such as a checkpoint's; nil fits some to the data.
    ///   - source: What the tokens are made from, kept in the file.
    ///   - url: Where the file shall lie; a file there is replaced.
    ///   - report: Called after each episode.
    /// - Returns: What the file says about itself.
    /// - Throws: ``TokenFileError`` when no episode has two transitions or the file cannot be
    ///   written, ``DiscretizerError`` when the data do not fit the settings, what reading and
    ///   `report` throw.
    @discardableResult
    public static func write(
        _ stream: some EpisodeStream, settings: TokenizedDataset.Settings = .init(),
        bins: Discretizer? = nil, source: Source, to url: URL,
        report: (StreamingProgress) throws -> Void = { _ in }
    ) throws -> Description {
        try settings.requireSound()
        try settings.requireNoHiding()
        try settings.requireNoConditions()
        var settings = try settings.decided(by: TerminalStates(of: stream))
        if let bins {
            try bins.requireDimension(of: stream.layout)
            settings.strategy = bins.strategy
            settings.binCount = bins.binCount
        }
        let (all, rewards) =
            bins == nil ? Discretizer.passes(settings, stream.layout) : (all: 0, rewards: 0)
        func progress(_ pass: Int, _ rows: Int) throws {
            try report(
                StreamingProgress(
                    pass: pass, passCount: all + rewards + 1, rows: rows, rowCount: stream.rowCount)
            )
        }
        try settings.requireDiscreteColumns(in: stream.layout)
        let discretizer =
            try bins
            ?? Discretizer(fitting: stream, settings: settings, report: progress)
            .with(settings.discrete ?? [])
        let decided = settings
        return try TokenFileWriter.write(to: url) { writer in
            try writer.fill(
                stream, discretizer, decided, source,
                report: { try progress(all + rewards + 1, $0) })
        }
    }
}

/// Writes the parts of a token file one after the other.
private struct TokenFileWriter {
    private let output: PendingFile
    private var buffer: [UInt8] = []
    private var checksum = WordChecksum()
    private var written = TokenFile.prefixBytes

    private static let bufferBytes = 1 << 20

    static func write<Result>(
        to url: URL, _ body: (inout TokenFileWriter) throws -> Result
    ) throws -> Result {
        do {
            let output = try PendingFile(for: url)
            var writer = TokenFileWriter(output)
            try output.write([UInt8](repeating: 0, count: TokenFile.prefixBytes))
            let result = try body(&writer)
            try output.commit()
            return result
        } catch let error as FileError {
            throw TokenFileError(code: .unwritable, file: url.path, detail: error.detail)
        }
    }

    private init(_ output: PendingFile) {
        self.output = output
        buffer.reserveCapacity(TokenFileWriter.bufferBytes + 1 << 16)
    }

    /// Writes all parts, the first bytes last.
    mutating func fill(
        _ stream: some EpisodeStream, _ discretizer: Discretizer,
        _ settings: TokenizedDataset.Settings, _ source: TokenFile.Source,
        report: (_ rows: Int) throws -> Void
    ) throws -> TokenFile.Description {
        let isWide = discretizer.binCount >= 1 << 8
        var starts: [UInt64] = [0]
        var endings: [UInt8] = []
        var rows = 0
        var longest = 0
        try stream.forEachEpisode { episode in
            try settings.requireDiscrete(episode)
            try append(TransitionRows(of: episode, settings: settings), discretizer, isWide)
            rows += episode.count
            longest = max(longest, episode.count)
            starts.append(UInt64(rows))
            endings.append(UInt8(TokenFile.endings.firstIndex(of: episode.ending) ?? 0))
            try report(rows)
        }
        try Discretizer.requireUnchanged(rows, stream.rowCount)
        guard longest > 1 else {
            throw TokenFileError(
                code: .empty, file: source.name,
                detail: "no episode has two transitions or more, so there is nothing to train on")
        }
        try pad()
        try append(discretizer.edges.map(\.bitPattern))
        try append(starts)
        buffer += endings
        try pad()
        let description = TokenFile.Description(
            layout: stream.layout, rowCount: rows, episodeCount: endings.count,
            discount: settings.discount, terminationPenalty: settings.terminationPenalty.value,
            binCount: discretizer.binCount, strategy: discretizer.strategy, source: source)
        let place = written
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        buffer += try encoder.encode(description)
        try pad()
        try finish(descriptionAt: place)
        return description
    }

    private mutating func append(
        _ rows: TransitionRows, _ discretizer: Discretizer, _ isWide: Bool
    ) throws {
        for row in 0..<rows.count {
            var column = 0
            rows.forEachNumber(of: row) { number in
                let token = discretizer.token(for: number, dimension: column)
                buffer.append(UInt8(truncatingIfNeeded: token))
                if isWide { buffer.append(UInt8(truncatingIfNeeded: token >> 8)) }
                column += 1
            }
            if buffer.count >= TokenFileWriter.bufferBytes { try flush() }
        }
    }

    private mutating func append(_ words: [UInt64]) throws {
        for word in words {
            for byte in 0..<8 { buffer.append(UInt8(truncatingIfNeeded: word >> (8 * byte))) }
            if buffer.count >= TokenFileWriter.bufferBytes { try flush() }
        }
    }

    /// Ends a part.
    private mutating func pad() throws {
        while !buffer.count.isMultiple(of: 8) { buffer.append(0) }
        try flush()
    }

    /// Writes the whole words of the buffer.
    private mutating func flush() throws {
        let words = buffer.count / 8 * 8
        let bytes = words == buffer.count ? buffer : Array(buffer[..<words])
        checksum.add(bytes: bytes)
        try output.write(bytes)
        written += words
        buffer.removeFirst(words)
    }

    private func finish(descriptionAt place: Int) throws {
        let version = UInt64(TokenFile.version)
        let first = TokenFile.magic.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var words = [
            first, version, UInt64(written), UInt64(TokenFile.prefixBytes), UInt64(place),
            checksum.value,
        ]
        var own = WordChecksum()
        own.add(words)
        words += [own.value, 0]
        try output.rewind()
        try output.write(
            words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } })
    }
}
