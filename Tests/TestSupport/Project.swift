package import Foundation

/// The project that the tests belong to.
package enum Project {
    /// The folder with its package description.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The folder with the built executables and the test bundle.
    package static let executables = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    /// The path of a built executable.
    package static func executable(_ name: String) -> String {
        executables.appending(path: name).path
    }

    /// The path of a file or folder of the project.
    package static func path(_ name: String) -> String { root.appending(path: name).path }
}
