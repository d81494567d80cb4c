import Bounds

/// An experiment of one size: its definition with settings and axes chosen, and its steps in order.
public struct Experiment: Sendable {
    /// What it was made from; its settings and axes are those of this size.
    public private(set) var definition: ExperimentDefinition
    /// Every command to run, in the order of the definition.
    public private(set) var steps: [ExperimentStep] = []

    /// Values of the axes, by name.
    typealias Point = [String: String]

    /// Chooses a size and expands the steps.
    ///
    /// - Parameters:
    ///   - definition: What to make it from.
    ///   - quick: Whether the definition's quick size is meant.
    ///   - overrides: Settings, or axes with values separated by commas, that replace the
    ///     definition's.
    /// - Throws: ``ExperimentError`` when a name is unknown or the definition contradicts itself.
    public init(
        _ definition: ExperimentDefinition, quick: Bool = false, overrides: [String: String] = [:]
    ) throws(ExperimentError) {
        self.definition = definition
        if quick {
            guard let variant = definition.quick else {
                throw error("it has no quick size")
            }
            for (name, value) in variant.settings {
                guard definition.settings[name] != nil else {
                    throw unknown(name, "quick.settings")
                }
                self.definition.settings[name] = value
            }
            for (name, values) in variant.axes {
                guard definition.axes[name] != nil else { throw unknown(name, "quick.axes") }
                self.definition.axes[name] = values
            }
        }
        for (name, value) in overrides {
            if definition.axes[name] != nil {
                self.definition.axes[name] = value.split(separator: ",").map(String.init)
            } else if definition.settings[name] != nil {
                self.definition.settings[name] = .one(value)
            } else {
                throw error("it has no setting or axis '\(name)'")
            }
        }
        for template in definition.steps {
            for point in try points(over: template.name) {
                steps.append(try step(template, at: point))
            }
        }
        var names: Set<String> = []
        if let twice = steps.first(where: { !names.insert($0.fileName).inserted }) {
            throw error("two steps are named '\(twice.name)'")
        }
    }

    private func step(
        _ template: ExperimentDefinition.StepTemplate, at point: Point
    ) throws(ExperimentError) -> ExperimentStep {
        func filled(_ template: Template) throws(ExperimentError) -> String {
            try fill(template, at: point)
        }
        let arguments = try filled(template.command).split(separator: " ").map(String.init)
        let output = zip(arguments, arguments.dropFirst()).first { $0.0 == "--output" }?.1
        return ExperimentStep(
            name: try filled(template.name), program: template.program, arguments: arguments,
            outputs: [output].compactMap(\.self) + (try template.writes.map(filled)),
            resumes: try template.resumes.map(filled),
            figures: try template.figures.map { figure throws(ExperimentError) in
                .init(file: try filled(figure.file), caption: try filled(figure.caption))
            })
    }

    // MARK: - Axes and settings

    /// The combinations of the axes that a template mentions, the first one varying slowest, each
    /// together with what is fixed.
    func points(over template: Template, fixed: Point = [:]) throws(ExperimentError) -> [Point] {
        var points = [fixed]
        for name in template.names where fixed[name] == nil {
            guard let values = definition.axes[name] else {
                // Its value, if it is a setting, does not make further points.
                guard definition.settings[name] != nil else { throw unknown(name, template.text) }
                continue
            }
            let count = Int.saturating(points.count, times: values.count)
            if let problem = Bound.together.orNone.problem("the combinations of axes", count) {
                throw error("'\(template.text)': \(problem)")
            }
            points = points.flatMap { point in
                values.map { point.merging([name: $0]) { $1 } }
            }
        }
        return points
    }

    /// The values of an axis.
    func values(of axis: String) throws(ExperimentError) -> [String] {
        guard let values = definition.axes[axis] else {
            throw error("a table takes means over '\(axis)', which is no axis")
        }
        return values
    }

    /// A template's text at a point.
    func fill(_ template: Template, at point: Point) throws(ExperimentError) -> String {
        try template.filled { name throws(ExperimentError) in
            if let value = point[name] { return value }
            switch definition.settings[name] {
            case .one(let value): return value
            case .each(let values):
                if let value = point.values.lazy.compactMap({ values[$0] }).first { return value }
                throw error(
                    "setting '\(name)' has no value for any of "
                        + "\(point.values.sorted().joined(separator: ", "))")
            case nil:
                guard definition.axes[name] != nil else { throw unknown(name, template.text) }
                throw error(
                    "'\(template.text)' uses axis '\(name)', which its name does not mention")
            }
        }
    }

    private func error(_ detail: String) -> ExperimentError {
        ExperimentError(code: .definition, subject: definition.name, detail: detail)
    }

    private func unknown(_ name: String, _ place: String) -> ExperimentError {
        error("'\(place)' names '\(name)', which is neither a setting nor an axis")
    }
}
