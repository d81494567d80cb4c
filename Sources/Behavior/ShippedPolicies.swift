public import Episodes
import Foundation
public import Policies

extension PolicyParser {
    /// A parser that knows the levels which come with the package.
    public init(_ specification: EnvironmentSpecification) {
        self.init(
            specification, levelsIn: Bundle.module.bundleURL.appendingPathComponent("Policies"))
    }
}
