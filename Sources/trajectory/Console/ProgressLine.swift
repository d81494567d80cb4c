import Foundation
import Jobs

/// A line on standard error that is overwritten as work goes on.
///
/// Where standard error is no terminal, a plain line now and then instead.
final class ProgressLine {
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) != 0
    private var lastShown = ContinuousClock.now - .seconds(60)
    private var isOpen = false

    /// Shows what a job says: notes stay on the screen, and so do milestones.
    func show<Progress>(
        _ event: JobEvent<Progress>, isMilestone: (Progress) -> Bool = { _ in false },
        text: (Progress) -> String
    ) {
        switch event {
        case .note(let line):
            finish()
            Console.progress(line)
        case .progress(let progress):
            let stays = isMilestone(progress)
            guard stays || isDue else { return }
            lastShown = .now
            let line = text(progress)
            write(isTerminal ? "\r\u{1B}[K" + line + (stays ? "\n" : "") : line + "\n")
            isOpen = isTerminal && !stays
        }
    }

    /// Ends the line, if one is open.
    func finish() {
        if isOpen { write("\n") }
        isOpen = false
    }

    private var isDue: Bool {
        ContinuousClock.now - lastShown > (isTerminal ? .milliseconds(100) : .seconds(15))
    }

    private func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
