// swift-tools-version: 6.2
import PackageDescription

// Programs outside the package that use its library products, as yours would. CI builds and runs
// them, which also proves that the products can be depended on.
func program(_ name: String, _ product: String) -> Target {
    .executableTarget(
        name: name, dependencies: [.product(name: product, package: "trajectory-transformer")])
}

let package = Package(
    name: "examples",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "trajectory-transformer", path: "..")],
    targets: [
        // Links no library beside the package.
        program("Plan", "TrajectoryPlanning"),
        // These read HDF5 files and simulate by MuJoCo.
        program("Train", "TrajectoryJobs"),
        program("Evaluate", "TrajectoryJobs"),
        program("MakeData", "TrajectoryJobs"),
    ]
)
