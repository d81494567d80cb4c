import ArgumentParser
import Foundation

/// The columns of an observation that make up a goal, as the command line names them: `0,1`.
enum GoalColumnsArgument {
    /// Reads columns separated by commas.
    static func parse(_ text: String) throws -> [Int] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let column = Int(part.trimmingCharacters(in: .whitespaces)), column >= 0 else {
                throw ValidationError("give columns from 0 up separated by commas, such as 0,1")
            }
            return column
        }
    }
}
