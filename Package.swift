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

/// Sources of kernels for a card: carried as text, compiled when a card is used.
let kernelSources = [
    "attention.cu", "decoder.cu", "draw.cu", "heads.cu", "linear.cu", "measure.cu", "muon.cu",
    "rows.cu", "sac.cu", "sac_actor.cu", "sac_backward.cu", "sac_forward.cu", "training.cu",
    "update.cu",
]

/// Parts of the pages: carried as text.
let pageParts = [
    "chart.js", "live.html", "live.js", "report.html", "report.js", "shapes.js", "stage.js",
    "style.css", "track.js",
]

let package = Package(
    name: "trajectory-transformer",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "TrajectoryData", targets: ["Trajectories", "Datasets", "Tokenization"]),
        .library(name: "TrajectoryModel", targets: ["Transformer", "TransformerCPU", "Training"]),
        .library(
            name: "TrajectoryPlanning",
            targets: ["Planning", "Transformer", "TransformerCPU", "Tokenization", "Trajectories"]),
        .library(
            name: "TrajectoryEnvironments",
            targets: ["Episodes", "Environments", "Behavior", "Evaluation"]),
        .library(name: "TrajectoryLearning", targets: ["Policies", "Learning"]),
        .library(
            name: "TrajectoryAgents",
            targets: ["Agents", "Policies", "Planning", "Transformer", "TransformerCPU"]),
        .library(name: "TrajectoryEngines", targets: ["Engines"]),
        .library(name: "TrajectoryJobs", targets: ["Jobs"]),
        .library(name: "TrajectoryLive", targets: ["Live", "Environments"]),
        .executable(name: "trajectory", targets: ["trajectory"]),
        .executable(name: "trajectory-device", targets: ["trajectory-device"]),
        .library(name: "EmulatedCUDA", type: .dynamic, targets: ["EmulatedCUDA"]),
        .library(
            name: "TrajectoryTransformerC", type: .dynamic, targets: ["PythonInterface"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // MARK: - The pipeline: dataset -> tokens -> model -> planner -> environment
        library("Trajectories", ["Bounds", "RandomNumbers"]),
        library("Datasets", ["Bounds", "Files", "HDF5", "PythonFiles", "Trajectories"]),
        library("Tokenization", ["Bounds", "Files", "RandomNumbers", "Trajectories"]),
        library(
            "Transformer",
            [
                "Bounds", "Files", "RandomNumbers", "Safetensors", "Tensors", "Tokenization",
                "Trajectories",
            ]),
        library(
            "TransformerCPU",
            [
                "Bounds", "Layers", "RandomNumbers", "Tensors", "Tokenization", "Trajectories",
                "Transformer",
            ]),
        library(
            "Training",
            [
                "Bounds", "Files", "Processes", "Transformer", "Tokenization", "Trajectories",
                "RandomNumbers", "Safetensors", "TensorBoard",
            ]),
        library(
            "Planning", ["Bounds", "RandomNumbers", "Transformer", "Tokenization", "Trajectories"]),
        library("Episodes", ["Bounds", "Processes", "Trajectories"]),
        library(
            "Policies", ["Episodes", "RandomNumbers", "Safetensors", "Trajectories"]),
        library(
            "Learning",
            [
                "Bounds", "Episodes", "Layers", "Policies", "RandomNumbers", "Safetensors",
                "TensorBoard", "Tensors", "Trajectories",
            ]),
        library(
            "Agents",
            [
                "Episodes", "Learning", "Planning", "Policies", "RandomNumbers", "Tokenization",
                "Trajectories", "Transformer",
            ]),
        library(
            "Environments", ["Episodes", "MuJoCo", "RandomNumbers", "Tensors", "Trajectories"]),
        library(
            "Behavior",
            ["Environments", "Episodes", "Learning", "Policies", "RandomNumbers", "Trajectories"],
            resources: [.copy("Policies")]),
        library(
            "Evaluation",
            [
                "Agents", "Datasets", "Environments", "Episodes", "MuJoCo", "Planning",
                "Statistics", "Tokenization", "Trajectories", "Transformer",
            ]),
        library("Statistics", ["RandomNumbers"]),
        library("Rendering", ["Files", "MuJoCo"]),
        library(
            "Figures",
            [
                "Datasets", "Environments", "Episodes", "Evaluation", "MuJoCo", "Planning",
                "Rendering", "Tokenization", "Training", "Trajectories",
            ]),
        library(
            "Live",
            [
                "Agents", "CPages", "Environments", "Episodes", "Learning", "MuJoCo", "Planning",
                "Tokenization", "Trajectories", "Transformer",
            ]),
        library(
            "Jobs",
            [
                "Agents", "Behavior", "Bounds", "Datasets", "Environments", "Episodes",
                "Evaluation", "Figures", "Files", "Learning", "Live", "Planning", "Policies",
                "Processes", "PythonFiles", "RandomNumbers", "Rendering", "Statistics",
                "TensorBoard",
                "Tokenization", "TorchCheckpoints", "Training", "Trajectories", "Transformer",
                "TransformerCPU", "PlainYAML", .product(name: "Yams", package: "Yams"),
            ]),
        library(
            "Experiments",
            [
                "Bounds", "Files", "PlainYAML", "Rendering",
                .product(name: "Yams", package: "Yams"),
            ]),
        .executableTarget(
            name: "trajectory",
            dependencies: [
                "Agents", "Behavior", "Bounds", "Datasets", "Engines", "Environments", "Episodes",
                "Evaluation", "Experiments", "Figures", "Files",
                "CUDA", "Jobs", "Learning", "LearningCUDA", "MPI", "Planning", "Policies",
                "Processes", "Release", "Signals", "Statistics", "Tokenization", "TorchCheckpoints",
                "Training", "Trajectories", "Transformer", "TransformerCPU", "TransformerCUDA",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        library(
            "PythonInterface",
            [
                "Agents", "Bounds", "Engines", "Learning", "Planning", "Safetensors", "TensorBoard",
                "Tokenization",
                "Training", "Trajectories", "Transformer", "TransformerCPU",
            ]),
        .executableTarget(
            name: "trajectory-device",
            dependencies: [
                "CUDA", "Learning", "LearningCUDA", "Planning", "RandomNumbers", "Release",
                "Safetensors", "Signals", "Tensors", "Tokenization", "Training", "Trajectories",
                "Transformer",
                "TransformerCPU", "TransformerCUDA",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "speed",
            dependencies: [
                "OneDNN", "Tensors",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/Speed", exclude: ["README.md"], swiftSettings: swiftSettings),

        library(
            "TorchCheckpoints",
            [
                "Files", "PythonFiles", "Safetensors", "Tokenization", "Trajectories",
                "Transformer",
            ]),

        // MARK: - What the pipeline stands on
        library("Layers", ["CKernels", "RandomNumbers", "Tensors"]),
        library("Tensors", ["Bounds"]),
        library("OneDNN", ["COneDNN", "Tensors"]),
        library("HDF5", ["Bounds", "CHDF5", "Files"]),
        library("MuJoCo", ["CMuJoCo"]),
        library("Safetensors", ["Files"]),
        library("TensorBoard", ["Files"]),
        library("Zlib", ["CZlib"]),
        library("PythonFiles", ["Files", "Zlib"]),
        library("Files"),
        library("Bounds"),
        library("Processes"),
        .target(
            name: "MPI", dependencies: ["Bounds", "Processes"], exclude: ["README.md", "Bridge"],
            swiftSettings: swiftSettings),
        library("Signals"),
        library("Release"),
        library("PlainYAML", [.product(name: "Yams", package: "Yams")]),
        library("RandomNumbers"),
        .target(name: "CKernels", exclude: ["README.md"]),
        .target(name: "CPages", exclude: ["README.md"] + pageParts),

        // MARK: - Cards
        library("CUDA"),
        .target(name: "CUDAKernels", exclude: ["README.md"] + kernelSources),
        .target(name: "EmulatedCUDA", exclude: ["README.md"]),
        library(
            "TransformerCUDA",
            [
                "CUDA", "CUDAKernels", "RandomNumbers", "Tensors", "Tokenization", "Trajectories",
                "Transformer",
            ]),

        library("Engines", ["Transformer", "TransformerCPU", "TransformerCUDA"]),
        library("LearningCUDA", ["CUDA", "CUDAKernels", "Learning", "RandomNumbers"]),

        // MARK: - C libraries
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"]), .brew(["onednn"])]),
        .systemLibrary(
            name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
        .systemLibrary(name: "CMuJoCo", pkgConfig: "mujoco"),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

        // MARK: - Tests
        .target(
            name: "TestSupport",
            dependencies: [
                "CUDA", "EmulatedCUDA", "Episodes", "Policies", "Processes", "RandomNumbers",
                "Safetensors",
                "Trajectories", "Transformer", "TransformerCPU", "TransformerCUDA",
            ],
            path: "Tests/TestSupport",
            swiftSettings: swiftSettings),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Bounds", "Datasets", "Environments", "Episodes", "Experiments", "Files", "Jobs",
                "Learning", "Live", "Planning", "Policies", "PythonFiles", "RandomNumbers",
                "Safetensors", "Tokenization", "TorchCheckpoints", "Training", "Trajectories",
                "Transformer", "TransformerCPU",
            ],
            path: "Tests/FuzzTargets", swiftSettings: swiftSettings),
        .executableTarget(
            name: "fuzz", dependencies: ["Datasets", "FuzzTargets"], path: "Tests/Fuzz",
            exclude: ["README.md"],
            swiftSettings: swiftSettings),
        tests(of: "FuzzTargets", fixtures: true),
        tests(of: "Files"),
        tests(of: "Safetensors"),
        tests(of: "TensorBoard"),
        tests(of: "Zlib"),
        tests(of: "PythonFiles", ["Files"], fixtures: true),
        tests(
            of: "TorchCheckpoints",
            [
                "Files", "PythonFiles", "Safetensors", "Tokenization", "Trajectories",
                "Transformer", "TransformerCPU",
            ], fixtures: true),
        tests(of: "Bounds"),
        tests(of: "Processes"),
        tests(of: "PlainYAML", [.product(name: "Yams", package: "Yams")]),
        tests(
            of: "trajectory",
            ["Datasets", "Files", "Release", "Tokenization", "Trajectories", "Transformer"],
            fixtures: true),
        tests(of: "HDF5"),
        tests(
            of: "Datasets", ["HDF5", "Safetensors", "Tokenization", "Trajectories"], fixtures: true),
        tests(of: "Tokenization", ["Safetensors", "Trajectories"], fixtures: true),
        tests(
            of: "Evaluation",
            [
                "Agents", "Behavior", "Environments", "Episodes", "MuJoCo", "Planning", "Policies",
                "Processes", "RandomNumbers", "Statistics", "Tokenization", "Trajectories",
            ]),
        tests(of: "MuJoCo"),
        tests(of: "RandomNumbers"),
        tests(of: "Episodes", ["Processes", "RandomNumbers", "Trajectories"]),
        tests(
            of: "Environments",
            ["Episodes", "MuJoCo", "RandomNumbers", "Safetensors", "Trajectories"], fixtures: true),
        tests(
            of: "Policies",
            [
                "Behavior", "Environments", "Episodes", "RandomNumbers", "Safetensors",
                "Trajectories",
            ]),
        tests(
            of: "Behavior",
            [
                "Environments", "Episodes", "Learning", "MuJoCo", "Policies", "Processes",
                "RandomNumbers", "Trajectories",
            ]),
        tests(
            of: "Learning",
            [
                "Episodes", "Layers", "Policies", "RandomNumbers", "Safetensors", "Tensors",
                "Trajectories",
            ]),
        tests(
            of: "Agents",
            [
                "Episodes", "Learning", "Planning", "Policies", "RandomNumbers", "Tokenization",
                "Trajectories", "Transformer", "TransformerCPU",
            ]),
        tests(
            of: "Planning",
            ["Safetensors", "Tokenization", "Trajectories", "Transformer", "TransformerCPU"],
            fixtures: true),
        tests(of: "Statistics", fixtures: true),
        tests(of: "Rendering", ["MuJoCo"]),
        tests(
            of: "Figures",
            [
                "Agents", "Datasets", "Environments", "Episodes", "Evaluation", "MuJoCo",
                "Planning", "Rendering", "Tokenization", "Trajectories",
            ]),
        tests(
            of: "Jobs",
            [
                "Agents", "Datasets", "Environments", "Episodes", "Evaluation", "HDF5", "Learning",
                "Planning", "Policies", "RandomNumbers", "Safetensors", "Tokenization",
                "TorchCheckpoints", "Training", "Trajectories", "Transformer", "TransformerCPU",
            ]),
        tests(
            of: "Live",
            [
                "Agents", "Environments", "Episodes", "MuJoCo", "Planning", "Tokenization",
                "Trajectories", "Transformer", "TransformerCPU",
            ]),
        tests(of: "Experiments"),
        tests(of: "Tensors"),
        tests(of: "CUDA", ["EmulatedCUDA"]),
        tests(of: "Engines", ["Transformer", "TransformerCPU"]),
        tests(
            of: "TransformerCUDA",
            [
                "CUDA", "EmulatedCUDA", "LearningCUDA", "Planning", "Safetensors", "Tensors",
                "Tokenization", "Trajectories", "Transformer", "TransformerCPU",
            ], fixtures: true),
        tests(of: "LearningCUDA", ["CUDA", "EmulatedCUDA", "Learning", "RandomNumbers"]),
        tests(
            of: "Training",
            [
                "Files", "Planning", "Processes", "Safetensors", "Tokenization", "Trajectories",
                "Transformer",
                "TransformerCPU",
            ]),
        tests(of: "Layers", ["OneDNN", "RandomNumbers", "Tensors"]),
        tests(
            of: "Transformer",
            [
                "Safetensors", "Tensors", "Tokenization", "Training", "Trajectories",
                "TransformerCPU",
            ], fixtures: true),
        tests(of: "TransformerCPU", ["Tokenization", "Trajectories", "Transformer"]),
    ],
    cxxLanguageStandard: .cxx17
)
