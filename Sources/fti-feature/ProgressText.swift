import CommandSupport
import FeaturePipeline

/// How far a run is, for a person who waits for it.
enum ProgressText {
    static func of(_ progress: RunProgress, after time: Duration) -> String {
        let files =
            "read \(Quantity.count(progress.filesRead)) of \(Quantity.count(progress.files, "file"))"
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        guard progress.made > 0, seconds > 0 else { return files }
        let rate = Double(progress.made) / seconds
        var text =
            "embedded \(Quantity.count(progress.made, "chunk")), "
            + "\(Quantity.decimal(rate, places: rate < 10 ? 1 : 0))/s"
        if let expected = progress.expected, expected > progress.made {
            text += ", \(duration(Double(expected - progress.made) / rate)) left"
        }
        return "\(text); \(files)"
    }

    private static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<90: "about \(Quantity.count(Int(seconds.rounded(.up)))) s"
        case ..<5400: "about \(Quantity.count(Int((seconds / 60).rounded()))) min"
        default: "about \(Quantity.decimal(min(seconds, 1e9) / 3600, places: 1)) h"
        }
    }
}
