import Layers
import RandomNumbers
import Tensors
import Trajectories
import Transformer

/// One pass of one worker over a few sequences.
extension CPUTransformer {
    /// The blocks over the sequences that `workspace` holds, which are number `sequences` of the
    /// global batch.
    func forward(
        _ workspace: TransformerWorkspace, sequences: Range<Int>, dropout: DropoutPlan
    ) {
        let rows = sequences.count * workspace.rowsPerSequence
        embed(workspace, sequences: sequences, dropout: dropout.embedding)
        workspace.lap(.embeddingAndHeads)
        for layer in 0..<configuration.layerCount {
            block(layer, dropout).forward(
                weights, workspace.blocks[layer],
                output: residual(workspace, layer + 1).rows(0..<rows), workspace: workspace,
                sequences: sequences)
        }
    }

    /// Writes the embeddings of goals and tokens into the first block's input.
    private func embed(
        _ workspace: TransformerWorkspace, sequences: Range<Int>, dropout: Dropout
    ) {
        let input = residual(workspace, 0)
        let firstRow = sequences.lowerBound * workspace.rowsPerSequence
        guard let goalEmbedding = layers.goalEmbedding else {
            return layers.embedding.forward(
                weights, index: workspace.tokens.base, length: workspace.length,
                output: input.rows(0..<(sequences.count * workspace.length)), dropout: dropout,
                firstRow: firstRow)
        }
        for index in 0..<sequences.count {
            let (goal, tokens) = (workspace.rows(ofGoal: index), workspace.rows(ofTokens: index))
            goalEmbedding.forward(
                weights, index: workspace.goalTokens.base + index * workspace.goalLength,
                output: input.rows(goal), dropout: dropout, firstRow: firstRow + goal.lowerBound)
            layers.embedding.forward(
                weights, index: workspace.tokens.base + index * workspace.length,
                length: workspace.length, output: input.rows(tokens), dropout: dropout,
                firstRow: firstRow + tokens.lowerBound)
        }
    }

    /// Adds the gradients of the embeddings' tables, from that of the first block's input.
    private func embedBackward(
        _ workspace: TransformerWorkspace, gradients: FloatStorage, dx: Matrix,
        sequences: Range<Int>, dropout: Dropout
    ) {
        let firstRow = sequences.lowerBound * workspace.rowsPerSequence
        guard let goalEmbedding = layers.goalEmbedding else {
            return layers.embedding.backward(
                gradients: gradients, index: workspace.tokens.base, length: workspace.length,
                dOutput: dx, dropout: dropout, firstRow: firstRow)
        }
        for index in 0..<sequences.count {
            let (goal, tokens) = (workspace.rows(ofGoal: index), workspace.rows(ofTokens: index))
            goalEmbedding.backward(
                gradients: gradients,
                index: workspace.goalTokens.base + index * workspace.goalLength,
                dOutput: dx.rows(goal), dropout: dropout, firstRow: firstRow + goal.lowerBound,
                scratch: workspace.goalScratch)
            layers.embedding.backward(
                gradients: gradients, index: workspace.tokens.base + index * workspace.length,
                length: workspace.length, dOutput: dx.rows(tokens), dropout: dropout,
                firstRow: firstRow + tokens.lowerBound)
        }
    }

    /// The final norm and the heads.
    func computeLogits(_ workspace: TransformerWorkspace, sequences: Int) {
        layers.finalNorm.forward(
            weights, input: workspace.output.rows(0..<(sequences * workspace.rowsPerSequence)),
            output: workspace.headInput, statistics: workspace.finalStatistics,
            destination: workspace.destination.base)
        workspace.lap(.layerNorm)
        for head in 0..<configuration.layout.transitionDimension {
            let rows = workspace.rows(ofHead: head, sequences: sequences)
            layers.heads[head].forward(
                weights, input: workspace.headInput.rows(rows),
                output: workspace.logits.rows(rows))
        }
        workspace.lap(.embeddingAndHeads)
    }

    /// From the gradient of the logits, in their place, to the gradients of all layers.
    func backward(
        _ workspace: TransformerWorkspace, gradients: FloatStorage, sequences: Range<Int>,
        dropout: DropoutPlan
    ) {
        let rows = sequences.count * workspace.rowsPerSequence
        let dHeadInput = workspace.dNarrow
        for head in 0..<configuration.layout.transitionDimension {
            let range = workspace.rows(ofHead: head, sequences: sequences.count)
            let dLogits = workspace.logits.rows(range)
            layers.heads[head].weightBackward(
                gradients: gradients, input: workspace.headInput.rows(range), dOutput: dLogits,
                factors: weights.factors)
            layers.heads[head].inputBackward(
                weights, dOutput: dLogits, dInput: dHeadInput.rows(range))
        }
        // Nothing is predicted from a goal.
        for row in (sequences.count * workspace.length)..<rows {
            (dHeadInput.base + row * dHeadInput.stride).update(
                repeating: 0, count: dHeadInput.columns)
        }
        workspace.lap(.embeddingAndHeads)
        let dx = workspace.dx.rows(0..<rows)
        for row in 0..<rows { (dx.base + row * dx.stride).update(repeating: 0, count: dx.columns) }
        layers.finalNorm.backward(
            weights, gradients: gradients, input: workspace.output.rows(0..<rows),
            statistics: workspace.finalStatistics, dOutput: dHeadInput.rows(0..<rows), dInput: dx,
            destination: workspace.destination.base)
        workspace.lap(.layerNorm)
        for layer in (0..<configuration.layerCount).reversed() {
            block(layer, dropout).backward(
                weights, gradients: gradients, workspace.blocks[layer], dx: dx,
                workspace: workspace, sequences: sequences)
        }
        embedBackward(
            workspace, gradients: gradients, dx: dx, sequences: sequences,
            dropout: dropout.embedding)
        workspace.lap(.embeddingAndHeads)
    }

    /// The residual stream before layer `layer`, or behind the last.
    private func residual(_ workspace: TransformerWorkspace, _ layer: Int) -> Matrix {
        layer < configuration.layerCount ? workspace.blocks[layer].input : workspace.output
    }

    private func block(_ layer: Int, _ dropout: DropoutPlan) -> TransformerBlock {
        let sites = dropout.block(layer)
        return TransformerBlock(
            layers: layers.blocks[layer], attention: attention,
            attentionDropout: sites.attention, firstResidualDropout: sites.firstResidual,
            secondResidualDropout: sites.secondResidual)
    }
}
