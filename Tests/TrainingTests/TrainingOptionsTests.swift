import Testing
import Training

@Suite struct TrainingOptionsTests {
    @Test(arguments: [Double.nan, .infinity, -1])
    func `rates, limits and times are finite`(value: Double) {
        #expect(TrainingOptions().problem == nil)
        for (name, path) in [
            ("learningRate", \TrainingOptions.learningRate), ("gradientLimit", \.gradientLimit),
            ("weightDecay", \.weightDecay),
        ] as [(String, WritableKeyPath<TrainingOptions, Double>)] {
            var options = TrainingOptions()
            options[keyPath: path] = value
            #expect(options.problem?.hasPrefix(name) == true, "\(name) \(value)")
        }
        var options = TrainingOptions()
        options.timeLimit = value
        #expect(options.problem?.hasPrefix("timeLimit") == true)
    }
}
