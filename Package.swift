// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

/// A Swift library target; its README stays out of the build.
func library(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil)
    -> Target
{
    .target(
        name: name, dependencies: dependencies, exclude: ["README.md"], resources: resources,
        swiftSettings: swiftSettings)
}

/// The tests of `name`, with their own copies of the golden data in `Fixtures/` where they use any.
func tests(
    of name: String, _ dependencies: [Target.Dependency] = [], fixtures: Bool = false
) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        resources: fixtures ? [.copy("Fixtures")] : nil, swiftSettings: swiftSettings)
}

let package = Package(
    name: "trajectory-transformer",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "TrajectoryData", targets: ["Trajectories", "Datasets", "Tokenization"]),
        .library(name: "TrajectoryModel", targets: ["Transformer", "Training"]),
        .library(name: "TrajectoryPlanning", targets: ["Planning", "Transformer", "Tokenization"]),
        .library(
            name: "TrajectoryEnvironments", targets: ["Environments", "Behavior", "Evaluation"]),
        .library(name: "TrajectoryBaselines", targets: ["Baselines", "Behavior"]),
        .executable(name: "trajectory", targets: ["trajectory"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // MARK: - The pipeline: dataset -> tokens -> model -> planner -> environment
        library("Trajectories"),
        library("Datasets", ["HDF5", "Trajectories"]),
        library("Tokenization", ["RandomNumbers", "Trajectories"]),
        library(
            "Transformer",
            ["Layers", "RandomNumbers", "Tensors", "Tokenization", "Trajectories", "Safetensors"]),
        library(
            "Training",
            [
                "Transformer", "Tokenization", "Trajectories", "Layers", "RandomNumbers", "Tensors",
                "Safetensors",
            ]),
        library("Planning", ["RandomNumbers", "Transformer", "Tokenization", "Trajectories"]),
        library("Environments", ["MuJoCo", "Tensors", "Trajectories"]),
        library(
            "Behavior", ["Environments", "Trajectories", "Safetensors"],
            resources: [.copy("Policies")]),
        library(
            "Baselines",
            ["Behavior", "Layers", "RandomNumbers", "Safetensors", "Tensors", "Trajectories"]),
        library("Evaluation", ["Planning", "Behavior", "Environments", "MuJoCo", "Trajectories"]),
        library("Rendering", ["MuJoCo"]),
        library(
            "Figures",
            [
                "Datasets", "Environments", "Evaluation", "MuJoCo", "Planning", "Rendering",
                "Tokenization", "Training", "Trajectories",
            ]),
        library(
            "Jobs",
            [
                "Behavior", "Baselines", "Datasets", "Environments", "Evaluation", "Figures", "Planning",
                "Rendering", "Tokenization", "Training", "Trajectories", "Transformer",
                .product(name: "Yams", package: "Yams"),
            ]),
        library("Experiments", ["Rendering", .product(name: "Yams", package: "Yams")]),
        .executableTarget(
            name: "trajectory",
            dependencies: [
                "Datasets", "Tokenization", "Transformer", "Training", "Planning", "Environments",
                "Behavior", "Baselines", "Evaluation", "Experiments", "MuJoCo", "Rendering",
                "Trajectories",
                "OneDNN",
                "Tensors",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),

        // MARK: - What the pipeline stands on
        library("Layers", ["CKernels", "RandomNumbers", "Tensors"]),
        library("Tensors"),
        library("OneDNN", ["COneDNN", "Tensors"]),
        library("HDF5", ["CHDF5"]),
        library("MuJoCo", ["CMuJoCo"]),
        library("Safetensors"),
        library("RandomNumbers"),
        .target(name: "CKernels", exclude: ["README.md"]),

        // MARK: - C libraries
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"]), .brew(["onednn"])]),
        .systemLibrary(
            name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
        .systemLibrary(name: "CMuJoCo", pkgConfig: "mujoco"),

        // MARK: - Tests
        .target(
            name: "TestSupport", dependencies: ["RandomNumbers", "Safetensors"],
            path: "Tests/TestSupport",
            swiftSettings: swiftSettings),
        tests(of: "Safetensors"),
        tests(of: "trajectory", fixtures: true),
        tests(of: "HDF5"),
        tests(
            of: "Datasets", ["HDF5", "Safetensors", "Tokenization", "Trajectories"], fixtures: true),
        tests(of: "Tokenization", ["Safetensors", "Trajectories"], fixtures: true),
        tests(
            of: "Evaluation",
            ["Planning", "Behavior", "Environments", "MuJoCo", "Tokenization", "Trajectories"]),
        tests(of: "MuJoCo"),
        tests(of: "Environments", ["MuJoCo", "Safetensors", "Trajectories"], fixtures: true),
        tests(of: "Behavior", ["Environments", "Trajectories"]),
        tests(
            of: "Baselines",
            ["Behavior", "Environments", "Layers", "RandomNumbers", "Tensors", "Trajectories"]),
        tests(
            of: "Planning", ["Safetensors", "Tokenization", "Trajectories", "Transformer"],
            fixtures: true),
        tests(of: "Rendering", ["MuJoCo"]),
        tests(of: "Figures", ["Environments", "Rendering"]),
        tests(of: "Experiments"),
        tests(of: "Tensors"),
        tests(of: "Training", ["Safetensors", "Tokenization", "Trajectories", "Transformer"]),
        tests(of: "Layers", ["OneDNN", "RandomNumbers", "Tensors"]),
        tests(
            of: "Transformer",
            ["Safetensors", "Tensors", "Layers", "Tokenization", "Trajectories"], fixtures: true),
    ]
)
