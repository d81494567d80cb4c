// swift-tools-version: 6.2
import PackageDescription

// A program outside the package that uses its library products, as yours would. CI builds and runs
// it, which also proves that the products can be depended on.
let package = Package(
    name: "planner-example",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "trajectory-transformer", path: "../..")],
    targets: [
        .executableTarget(
            name: "Planner",
            dependencies: [
                .product(name: "TrajectoryPlanning", package: "trajectory-transformer")
            ])
    ]
)
