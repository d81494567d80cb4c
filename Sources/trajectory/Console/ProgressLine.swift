import Foundation

/// A line on standard error that is overwritten as work goes on.
///
/// Where standard error is no terminal, a plain line now and then instead.
final class ProgressLine {
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) != 0
    private var lastPlain = ContinuousClock.now - .seconds(60)
    private var isOpen = false

    /// Shows the present state; milestones stay on the screen.
    func show(_ text: String, isMilestone: Bool = false) {
        if isTerminal {
            write("\r\u{1B}[K" + text + (isMilestone ? "\n" : ""))
            isOpen = !isMilestone
        } else if isMilestone || ContinuousClock.now - lastPlain > .seconds(15) {
            lastPlain = .now
            write(text + "\n")
        }
    }

    /// Ends the line, if one is open.
    func finish() {
        if isOpen { write("\n") }
        isOpen = false
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
