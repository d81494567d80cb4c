extension NVRTC {
    /// Where NVRTC is looked for, in this order: the path in the environment variable
    /// `TRAJECTORY_NVRTC`; `.deps/nvrtc` here; what the system's linker finds; a CUDA toolkit's
    /// folder; the packages of a Python that holds PyTorch.
    public static func searchPaths() -> [String] {
        var paths: [String] = []
        if let path = environmentVariable("TRAJECTORY_NVRTC") { paths.append(path) }
        paths += libraries(in: ".deps/nvrtc").map { "./" + $0 }
        paths += ["libnvrtc.so.13", "libnvrtc.so.12"]
        var toolkits = ["CUDA_HOME", "CUDA_PATH"].compactMap(environmentVariable)
        toolkits.append("/usr/local/cuda")
        toolkits += namesInFolder("/usr/local").filter { $0.hasPrefix("cuda-") }.reversed()
            .map { "/usr/local/\($0)" }
        for toolkit in toolkits {
            for folder in ["lib64", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"] {
                paths += libraries(in: "\(toolkit)/\(folder)")
            }
        }
        for packages in pythonPackages() {
            for name in namesInFolder("\(packages)/nvidia") {
                paths += libraries(in: "\(packages)/nvidia/\(name)/lib")
            }
        }
        return paths
    }

    /// The NVRTC libraries in a folder, newest first.
    private static func libraries(in folder: String) -> [String] {
        namesInFolder(folder).filter {
            $0.hasPrefix("libnvrtc.so.") && !$0.contains(".alt.")
        }.reversed().map { "\(folder)/\($0)" }
    }

    /// Folders of Python packages: of an active environment, of the interpreters on the path, and
    /// the system's.
    private static func pythonPackages() -> [String] {
        var prefixes: [String] = []
        for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
            if let prefix = environmentVariable(name) { prefixes.append(prefix) }
        }
        for folder in (environmentVariable("PATH") ?? "").split(separator: ":")
        where fileExists("\(folder)/python3") && folder.hasSuffix("/bin") {
            prefixes.append(String(folder.dropLast(4)))
        }
        prefixes += namesInFolder("/opt").flatMap { ["/opt/\($0)", "/opt/\($0)/.venv"] }
        prefixes += ["/usr/local", "/usr"]
        return prefixes.flatMap { prefix in
            ["lib", "lib64"].flatMap { library in
                namesInFolder("\(prefix)/\(library)").filter { $0.hasPrefix("python3") }.flatMap {
                    [
                        "\(prefix)/\(library)/\($0)/site-packages",
                        "\(prefix)/\(library)/\($0)/dist-packages",
                    ]
                }
            }
        }
    }
}
