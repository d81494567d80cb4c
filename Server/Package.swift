// swift-tools-version: 6.2
import PackageDescription

// What listens on a port: a package of its own, so that who links the planner resolves no networking.

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

/// A product of the package around this one.
func planner(_ product: String) -> Target.Dependency {
    .product(name: product, package: "trajectory-transformer")
}

func nio(_ product: String) -> Target.Dependency {
    .product(name: product, package: "swift-nio")
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(
    name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "trajectory-server",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "PolicyServer", targets: ["PolicyServer", "Serving"]),
        .executable(name: "trajectory-server", targets: ["trajectory-server"]),
        .executable(name: "trajectory-live", targets: ["trajectory-live"]),
    ],
    dependencies: [
        .package(name: "trajectory-transformer", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .target(name: "MessagePack", exclude: ["README.md"], swiftSettings: swiftSettings),
        .target(
            name: "Serving", dependencies: ["MessagePack", planner("TrajectoryPlanning")],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .target(
            name: "Sockets",
            dependencies: [
                lifecycle, nio("NIOCore"), nio("NIOHTTP1"), nio("NIOPosix"), nio("NIOWebSocket"),
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .target(
            name: "PolicyServer",
            dependencies: [
                "Serving", "Sockets", lifecycle, logging, nio("NIOCore"), nio("NIOHTTP1"),
                nio("NIOWebSocket"),
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .target(
            name: "ModelArguments",
            dependencies: [
                arguments, planner("TrajectoryEngines"), planner("TrajectoryLearning"),
                planner("TrajectoryPlanning"),
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "trajectory-server",
            dependencies: [
                "ModelArguments", "PolicyServer", "Serving", arguments, lifecycle, logging, signals,
                planner("TrajectoryAgents"), planner("TrajectoryLearning"),
                planner("TrajectoryPlanning"),
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .target(
            name: "LiveServer",
            dependencies: [
                "Sockets", lifecycle, logging, nio("NIOCore"), nio("NIOHTTP1"),
                nio("NIOWebSocket"), planner("TrajectoryLive"),
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "trajectory-live",
            dependencies: [
                "LiveServer", "ModelArguments", arguments, lifecycle, logging, signals,
                planner("TrajectoryLive"), planner("TrajectoryPlanning"),
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .target(
            name: "ServingTestSupport",
            dependencies: ["Serving", planner("TrajectoryPlanning")], path: "Tests/Support",
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "fuzz-server",
            dependencies: [
                "MessagePack", "Serving", "ServingTestSupport", planner("TrajectoryPlanning"),
            ],
            path: "Tests/Fuzz", exclude: ["README.md"], swiftSettings: swiftSettings),
        .testTarget(
            name: "MessagePackTests", dependencies: ["MessagePack"], swiftSettings: swiftSettings),
        .testTarget(
            name: "ServingTests",
            dependencies: [
                "MessagePack", "Serving", "ServingTestSupport", planner("TrajectoryPlanning"),
            ],
            swiftSettings: swiftSettings),
    ]
)
