import Foundation
import TestSupport
import Testing

@Suite struct DatasetTokenizeCommandTests {
    let folder: TemporaryFolder
    let dataset: String
    let tokens: String
    let config: String

    init() throws {
        folder = try TemporaryFolder()
        dataset = try GoldenData(Bundle.module).url("dataset_gzip.hdf5").path
        tokens = folder.file("data.tokens").path
        config = folder.file("settings.yaml").path
        // The fixture has 60 rows.
        try Data(
            """
            model: {layers: 1, heads: 1, width: 16}
            training: {steps: 6, batchSize: 4}
            tokenization: {binCount: 12, windowLength: 4, discount: 0.9}
            """.utf8
        ).write(to: folder.file("settings.yaml"))
    }

    private func train(_ data: String, _ output: String, _ more: String...) throws
        -> Program.Outcome
    {
        try Program.run(
            [
                "train", "--dataset", data, "--output", folder.file(output).path, "--config",
                config,
                "--workers", "1",
            ] + more)
    }

    @Test func `a run from a token file equals the run from the dataset`() throws {
        let made = try Program.run(
            "dataset", "tokenize", dataset, "--output", tokens, "--config", config, "--json")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.output.contains("\"transitions\" : 60"))
        #expect(made.output.contains("\"bins\" : 12"))
        #expect(try train(dataset, "plain").status == 0)
        let run = try train(tokens, "mapped")
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("60 transitions in 6 episodes"))
        for name in ["weights-6.safetensors", "optimizer-6.safetensors", "settings.json"] {
            let files = try ["plain", "mapped"].map {
                try Data(contentsOf: folder.file($0).appendingPathComponent(name))
            }
            #expect(files[0] == files[1], "\(name)")
        }
        // What the file was made with needs no repeating, and a run may change from one to the
        // other.
        let free = try Program.run(
            "train", "--dataset", tokens, "--output", folder.file("free").path, "--layers", "1",
            "--width", "16", "--heads", "1", "--steps", "2")
        #expect(free.status == 0, "\(free.errors)")
        let resumed = try train(tokens, "plain", "--resume", "--steps", "8")
        #expect(resumed.status == 0, "\(resumed.errors)")
    }

    @Test func `options override the configuration file`() throws {
        let made = try Program.run(
            "dataset", "tokenize", dataset, "--output", tokens, "--config", config, "--bins", "300",
            "--discretizer", "uniform", "--no-termination-penalty", "--drop-last-row")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.output.hasPrefix("\(tokens): 59 transitions of 7 tokens in 6 episodes"))
        let text = String(
            decoding: try Data(contentsOf: folder.file("data.tokens")).suffix(600), as: UTF8.self)
        for line in [
            "\"binCount\" : 300", "\"strategy\" : \"uniform\"", "\"discount\" : 0.9",
            "\"name\" : \"dataset_gzip.hdf5\"",
        ] {
            #expect(text.contains(line), "\(line)")
        }
        #expect(!text.contains("terminationPenalty"))
    }

    @Test func `settings and options that the token file contradicts are refused`() throws {
        let made = try Program.run(
            "dataset", "tokenize", dataset, "--output", tokens, "--bins", "10")
        #expect(made.status == 0, "\(made.errors)")
        let settings = try train(tokens, "run")
        #expect(settings.status == 1)
        #expect(settings.errors.hasPrefix("error: cannot use '\(tokens)' with tokenization."))
        #expect(settings.errors.filter { $0 == "\n" }.count == 1)
        let reading = try Program.run(
            "train", "--dataset", tokens, "--output", folder.file("run").path, "--drop-last-row")
        #expect(reading.status == 1)
        #expect(reading.errors.contains("give them to 'trajectory dataset tokenize'"))
        #expect(try folder.contents() == ["data.tokens", "settings.yaml"])
    }

    @Test func `bad input gives one line and leaves nothing`() throws {
        let text = folder.file("text.hdf5")
        try Data("no HDF5\n".utf8).write(to: text)
        for file in [folder.file("absent.hdf5").path, text.path, folder.url.path] {
            let outcome = try Program.run("dataset", "tokenize", file, "--output", tokens)
            #expect(outcome.status == 1)
            #expect(outcome.errors.hasPrefix("error: cannot use '\(file)': "))
            #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
        }
        let many = try Program.run(
            "dataset", "tokenize", dataset, "--output", tokens, "--bins", "61")
        #expect(many.status == 1)
        #expect(
            many.errors.hasPrefix(
                "error: cannot tokenize '\(dataset)': 60 rows do not fill 61 quantile bins"))
        let few = try Program.run(
            "train", "--dataset", dataset, "--output", folder.file("run").path)
        #expect(few.status == 1)
        #expect(few.errors.hasPrefix("error: cannot tokenize '\(dataset)': 60 rows"))
        let both = try Program.run(
            "dataset", "tokenize", dataset, "--output", tokens, "--termination-penalty", "1",
            "--no-termination-penalty")
        #expect(both.status == 64)
        #expect(try folder.contents() == ["settings.yaml", "text.hdf5"])
        // A damaged token file is told as such, not as bad HDF5.
        _ = try Program.run("dataset", "tokenize", dataset, "--output", tokens, "--bins", "10")
        try Data(contentsOf: folder.file("data.tokens")).dropLast(9)
            .write(to: folder.file("data.tokens"))
        let damaged = try Program.run(
            "train", "--dataset", tokens, "--output", folder.file("run").path)
        #expect(damaged.status == 1)
        #expect(
            damaged.errors.contains("make it again from the data (`trajectory dataset tokenize`)"))
    }
}
