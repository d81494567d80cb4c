import RandomNumbers

/// Which numbers of the observations a model does not get to see.
///
/// Every dimension of every observation is hidden with the same probability, whatever happens to
/// the others (the partially observed setting of Janner et al. 2021, section 4.1 and figure 3).
/// Which ones are hidden depends on seed, row and column alone, so that the same data are hidden in
/// the same way whoever reads them.
public struct Hiding: Sendable, Hashable, Codable {
    /// The probability with which a number is hidden, above 0 and below 1.
    public var probability: Double
    /// Fixes which numbers are.
    public var seed: UInt64

    /// Hides each number with this probability.
    public init(probability: Double, seed: UInt64 = 0) {
        (self.probability, self.seed) = (probability, seed)
    }

    /// What is wrong with the numbers, or nil.
    public var problem: String? {
        probability > 0 && probability < 1
            ? nil
            : "the probability with which dimensions are hidden must lie between 0 and 1, found "
                + "\(probability)"
    }

    /// Whether a column of the observation in row `row` of the data, counted through all episodes,
    /// is hidden.
    public func hides(row: Int, column: Int) -> Bool {
        var place = SplitMix64(
            seed: seed &+ UInt64(row) &* 0xD1B5_4A32_D192_ED03
                &+ UInt64(column) &* 0x8CB9_2BA7_2F3D_8DD7)
        return place.uniform() < probability
    }

    private enum CodingKeys: String, CodingKey { case probability, seed }

    /// Decodes it; without a seed it is 0.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        probability = try values.decode(Double.self, forKey: .probability)
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0
    }
}
