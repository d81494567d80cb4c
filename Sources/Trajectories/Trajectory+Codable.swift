#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Episodes as they are sent from process to process: every number with its bits.
extension Trajectory: Codable {
    private enum Key: String, CodingKey {
        case layout, observations, actions, rewards, ending, infos, finalObservation
    }

    private struct Column: Codable {
        var width: Int
        var values: Data
    }

    /// Writes all that the episode has.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(layout, forKey: .layout)
        try container.encode(Data(bitsOf: observations), forKey: .observations)
        try container.encode(Data(bitsOf: actions), forKey: .actions)
        try container.encode(Data(bitsOf: rewards), forKey: .rewards)
        try container.encode(ending, forKey: .ending)
        try container.encode(
            infos.mapValues { Column(width: $0.width, values: Data(bitsOf: $0.values)) },
            forKey: .infos)
        try container.encodeIfPresent(
            finalObservation.map { Data(bitsOf: $0) }, forKey: .finalObservation)
    }

    /// Reads an episode.
    ///
    /// - Throws: `DecodingError` where the columns are not equally many whole rows.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        func numbers(_ key: Key) throws -> [Float] {
            try container.decode(Data.self, forKey: key).floats
        }
        let layout = try container.decode(TransitionLayout.self, forKey: .layout)
        let (observations, actions) = try (numbers(.observations), numbers(.actions))
        let rewards = try numbers(.rewards)
        let columns = try container.decode([String: Column].self, forKey: .infos)
        let final = try container.decodeIfPresent(Data.self, forKey: .finalObservation)?.floats
        guard observations.count == rewards.count * layout.observationDimension,
            actions.count == rewards.count * layout.actionDimension,
            final?.count ?? layout.observationDimension == layout.observationDimension,
            columns.values.allSatisfy({
                $0.width >= 0 && $0.values.count == 4 * $0.width * rewards.count
            })
        else {
            throw DecodingError.dataCorruptedError(
                forKey: Key.rewards, in: container,
                debugDescription: "columns of an episode have different lengths")
        }
        self.init(
            layout: layout, observations: observations, actions: actions, rewards: rewards,
            ending: try container.decode(Ending.self, forKey: .ending))
        infos = columns.mapValues {
            var column = InfoColumn(width: $0.width)
            column.values = $0.values.floats
            return column
        }
        finalObservation = final
    }
}

extension Data {
    /// The bits of numbers, the lowest byte first.
    fileprivate init(bitsOf numbers: [Float]) {
        self.init(capacity: 4 * numbers.count)
        for number in numbers {
            let bits = number.bitPattern
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                append(UInt8(truncatingIfNeeded: bits >> shift))
            }
        }
    }

    /// The numbers whose bits these are.
    fileprivate var floats: [Float] {
        let bytes = [UInt8](self)
        return stride(from: 0, to: bytes.count / 4 * 4, by: 4).map { first in
            var bits: UInt32 = 0
            for index in 0..<4 { bits |= UInt32(bytes[first + index]) << UInt32(8 * index) }
            return Float(bitPattern: bits)
        }
    }
}
