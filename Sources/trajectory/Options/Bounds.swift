import ArgumentParser
import Bounds

/// Refuses the first option whose number lies out of bounds; one that was not given may be nil.
func require(_ bound: Bound, _ options: KeyValuePairs<String, Int?>) throws {
    for (option, value) in options {
        if let problem = bound.problem(option, value) { throw ValidationError(problem) }
    }
}

/// Refuses the first option whose number is not above 0, or not finite; one that was not given may
/// be nil.
func requirePositive(_ options: KeyValuePairs<String, Double?>) throws {
    for case (let option, let value?) in options where !(value > 0 && value.isFinite) {
        throw ValidationError("\(option) must be positive, found \(value)")
    }
}
