import ArgumentParser
import Bounds
import Foundation

/// Columns of an observation as the command line names them: `0,1`.
enum GoalColumnsArgument {
    /// Reads columns separated by commas, and ranges of them such as `2-8`.
    static func parseRanges(_ text: String) throws -> [Int] {
        try text.split(separator: ",", omittingEmptySubsequences: false).flatMap { part in
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count == 2 else { return try parse(String(part)) }
            let columns = try ends.flatMap { try parse(String($0)) }
            guard columns[0] <= columns[1], columns[1] <= Bound.dimension.range.upperBound else {
                throw ValidationError(
                    "give a range of columns from the lower to the higher, such as 2-8")
            }
            return Array(columns[0]...columns[1])
        }
    }

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
