import ArgumentParser
import Bounds

/// Refuses the first option whose number lies out of bounds; one that was not given may be nil.
func require(_ bound: Bound, _ options: KeyValuePairs<String, Int?>) throws {
    for (option, value) in options {
        if let problem = bound.problem(option, value) { throw ValidationError(problem) }
    }
}
