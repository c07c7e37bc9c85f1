/// The version of the project's executables.
public enum Version {
    /// The version as text; snapshots name it as their producer's.
    public static let text = "0.1.0"
}
