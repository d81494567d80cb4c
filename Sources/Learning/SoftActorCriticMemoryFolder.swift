import Safetensors

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The transitions of a run in a folder, a file for each stretch between two snapshots, so that a
/// resumed run has its memory again.
///
/// Files are called after their rows, `rows-000010000-000020000.safetensors`, written whole or not at
/// all; those that the ring no longer holds are removed.
public struct SoftActorCriticMemoryFolder: Sendable {
    /// The folder.
    public let url: URL
    private let capacity: Int
    private var waiting = SoftActorCriticRows()
    private var end: Int

    /// A folder for the rows of a run from row `firstRow` on, of which the last `capacity` are kept.
    public init(_ url: URL, capacity: Int, firstRow: Int) {
        self.url = url
        self.capacity = capacity
        end = firstRow
    }

    /// Removes the rows of an earlier run, whose snapshot is gone.
    public func clear() {
        for (file, _) in Self.files(in: url) { try? FileManager.default.removeItem(at: file) }
    }

    /// A number of nine digits or more, so that names sort as numbers.
    private static func digits(_ number: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, 9 - text.count)) + text
    }

    /// Takes rows, which ``write()`` writes.
    public mutating func append(_ rows: SoftActorCriticRows) { waiting.append(rows) }

    /// Writes what has come since the last time.
    ///
    /// - Throws: ``LearningError`` when that is not possible.
    public mutating func write() throws(LearningError) {
        guard waiting.count > 0 else { return }
        let rows = end..<(end + waiting.count)
        let file = url.appendingPathComponent(
            "rows-\(Self.digits(rows.lowerBound))-\(Self.digits(rows.upperBound)).safetensors")
        var tensors = SafetensorsFile(name: file.path)
        for (key, path) in Self.columns {
            let values = waiting[keyPath: path]
            tensors.set(key, values, shape: [rows.count, values.count / rows.count])
        }
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            try tensors.write(to: file)
        } catch {
            throw LearningError(.unwritableSnapshot, file.path, "\(error)")
        }
        waiting = SoftActorCriticRows()
        end = rows.upperBound
        for (old, rows) in Self.files(in: url) where rows.upperBound <= end - capacity {
            try? FileManager.default.removeItem(at: old)
        }
    }

    private static var columns: [(String, WritableKeyPath<SoftActorCriticRows, [Float]>)] {
        [
            ("observations", \.observations), ("actions", \.actions), ("rewards", \.rewards),
            ("terminals", \.terminals), ("next_observations", \.nextObservations),
        ]
    }

    private static func files(in folder: URL) -> [(url: URL, rows: Range<Int>)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().compactMap { name in
            let parts = name.split(separator: ".").first?.split(separator: "-") ?? []
            guard parts.count == 3, parts[0] == "rows", let first = Int(parts[1]),
                let last = Int(parts[2]), first < last
            else { return nil }
            return (folder.appendingPathComponent(name), first..<last)
        }
    }

    /// The rows that the memory of `snapshot` held, oldest first; nil where the folder has them not.
    ///
    /// Files of rows after the snapshot, which a run that was killed may leave, are removed.
    ///
    /// - Throws: ``LearningError`` when a file is damaged.
    public static func rows(
        of snapshot: SoftActorCriticSnapshot, in folder: URL
    ) throws(LearningError) -> SoftActorCriticRows? {
        let needed = max(snapshot.steps - snapshot.settings.capacity, 0)..<snapshot.steps
        var rows = SoftActorCriticRows()
        var next = needed.lowerBound
        for (file, range) in files(in: folder) {
            if range.lowerBound >= needed.upperBound {
                try? FileManager.default.removeItem(at: file)
                continue
            }
            guard range.upperBound > next else { continue }
            guard range.lowerBound <= next, range.upperBound <= needed.upperBound else {
                return nil
            }
            let skipped = next - range.lowerBound
            do {
                let tensors = try SafetensorsFile(contentsOf: file)
                for (key, path) in columns {
                    let values = try tensors.floats(key)
                    let width = width(of: key, snapshot.state)
                    guard values.count == range.count * width, values.allSatisfy(\.isFinite) else {
                        throw LearningError(
                            .unreadableSnapshot, file.path, "its '\(key)' are damaged")
                    }
                    rows[keyPath: path] += values[(skipped * width)...]
                }
            } catch let error as LearningError {
                throw error
            } catch {
                throw LearningError(.unreadableSnapshot, file.path, "\(error)")
            }
            next = range.upperBound
        }
        return next == needed.upperBound ? rows : nil
    }

    private static func width(of key: String, _ state: SoftActorCriticState) -> Int {
        switch key {
        case "observations", "next_observations": state.observationDimension
        case "actions": state.actionDimension
        default: 1
        }
    }
}
