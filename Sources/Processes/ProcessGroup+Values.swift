#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ProcessGroup {
    /// Tells all the others a value; returns what each told, by rank.
    ///
    /// Numbers arrive as they are, those that are not finite included.
    ///
    /// - Throws: ``ProcessGroupError``, also where a value of another kind arrives: the processes
    ///   do not run the same program.
    public func gather<Value: Codable>(values value: Value) throws(ProcessGroupError) -> [Value] {
        if isAlone { return [value] }
        let names = (positive: "inf", negative: "-inf", nan: "nan")
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: names.positive, negativeInfinity: names.negative, nan: names.nan)
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: names.positive, negativeInfinity: names.negative, nan: names.nan)
        let own: [UInt8]
        do {
            own = Array(try encoder.encode(value))
        } catch {
            throw ProcessGroupError(.failed, "a result cannot be sent (\(error))")
        }
        let told = try gather(own, isPatient: true)
        do {
            return try told.map { try decoder.decode(Value.self, from: Data($0)) }
        } catch {
            throw ProcessGroupError(
                .failed,
                "a result of another process cannot be read (\(error)); run the same program "
                    + "everywhere")
        }
    }
}
