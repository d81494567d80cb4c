public import Tokenization

/// In JSON the text `mean`, or an object: `{"percentile": 0.8, "readout": "exact"}`.
extension ReturnReadout: Codable {
    private enum CodingKeys: String, CodingKey {
        case percentile, readout
    }

    /// Reads the text or the object.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.singleValueContainer(),
            let text = try? container.decode(String.self)
        {
            guard text == "mean" else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "'\(text)' is not 'mean' or a percentile")
            }
            self = .mean
            return
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self = .percentile(
            try container.decode(Double.self, forKey: .percentile),
            try container.decodeIfPresent(PercentileReadout.self, forKey: .readout) ?? .exact)
    }

    /// Writes the text or the object.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .mean:
            var container = encoder.singleValueContainer()
            try container.encode("mean")
        case .percentile(let fraction, let readout):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(fraction, forKey: .percentile)
            try container.encode(readout, forKey: .readout)
        }
    }
}
