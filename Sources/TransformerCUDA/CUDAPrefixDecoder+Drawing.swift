import CUDA
public import Transformer

extension CUDAPrefixDecoder: TokenDrawingModel {
    /// Draws tokens on the card, and waits once for all.
    ///
    /// - Throws: `EngineError` where the card fails.
    public func draw(_ draws: TokenDraws) throws(EngineError) -> DrawnTokens {
        let rows = draws.nodes.count
        let steps = draws.rules.count
        precondition(draws.uniforms.count == rows * steps, "a number for each row and token")
        precondition(rows > 0 && steps > 0, "nothing to draw")
        do {
            let first = try drawnNodes(draws)
            let tokens = try run(draws, at: first.place, outputsFrom: first.output)
            return DrawnTokens(tokens: tokens, firstNode: first.node)
        } catch {
            throw EngineError(error, engine: device.name)
        }
    }

    /// Notes where the rows' new nodes stand; all have their logits on the card, and those that are
    /// asked for on the host.
    private func drawnNodes(
        _ draws: TokenDraws
    ) throws(CUDAError) -> (node: Int, place: Int, output: Int) {
        let node = positions.count
        let output = outputCount
        for step in 0..<(draws.rules.count - 1) {
            for (row, standing) in draws.nodes.enumerated() {
                precondition(logitRows[standing] >= 0, "a row stands on a node without output")
                let position = Int(positions[standing]) + 1 + step
                precondition(position < contextLength, "a prefix exceeds the model's context")
                anchors.append(Int32(firstPlace + positions.count))
                positions.append(Int32(position))
                logitRows.append(
                    draws.rules[step + 1].keepsOutput
                        ? Int32(output + step * draws.nodes.count + row) : -1)
            }
        }
        outputCount += (draws.rules.count - 1) * draws.nodes.count
        return (node, firstPlace + node, output)
    }

    /// Draws and computes in turn, and waits once.
    private func run(
        _ draws: TokenDraws, at place: Int, outputsFrom output: Int
    ) throws(CUDAError) -> [Int32] {
        let rows = draws.nodes.count
        let steps = draws.rules.count
        try memory.reserve(
            places: place + (steps - 1) * rows, rows: rows, outputs: outputCount, stream)
        let standing = draws.nodes.map { Int32(firstPlace + $0) }
        try memory.upload(draws, standing: standing, stream)
        for (step, rule) in draws.rules.enumerated() {
            let isLast = step == steps - 1
            let target = place + step * rows
            let previous = target - rows
            try stream.launch(
                drawing, grid: ((rows + 7) / 8, 1), threads: 256,
                memory.drawn.address(of: step * rows), memory.nodes, memory.order, memory.logits,
                step == 0 ? memory.standing.address : 0,
                memory.uniforms.address(of: step * rows),
                draws.forced == nil ? 0 : memory.forced.address(of: step * rows), Int32(rows),
                Int32(previous), Int32(rule.topK ?? 0), Float(rule.tailMass ?? -1),
                Float(rule.temperature), Int32(rule.keepsLikeliest ? 1 : 0),
                isLast ? -1 as Int32 : Int32(target), Int32(output + step * rows))
            guard !isLast else { break }
            try launchDecode(
                rows: rows, outputs: rows, first: target, 0..<(configuration.layerCount + 1))
            if draws.rules[step + 1].keepsOutput {
                try memory.copyLogits(
                    rows: (output + step * rows)..<(output + (step + 1) * rows), stream)
            }
        }
        return try stream.read(memory.drawn, 0..<(rows * steps))
    }
}
