/// A pattern for paths: `*` and `?` stand for any characters and any character but `/`, and a component
/// `**` for any number of folders, none included.
public struct GlobPattern: Hashable, Sendable {
    /// The pattern as it was written.
    public let text: String
    private let components: [[UInt8]]

    private static let star: UInt8 = 0x2A
    private static let anyNumberOfFolders = [star, star]

    /// Makes a pattern; a leading `./` means nothing.
    public init(_ text: String) {
        self.text = text
        components = text.utf8.split(separator: 0x2F).map(Array.init).filter { $0 != [0x2E] }
    }

    /// Whether a path, its components separated by single slashes, fits the pattern.
    public func matches(_ path: String) -> Bool {
        let names = path.utf8.split(separator: 0x2F).map(Array.init)
        // reachable[i]: the first components fit the first i names.
        var reachable = [Bool](repeating: false, count: names.count + 1)
        reachable[0] = true
        for component in components {
            var next = [Bool](repeating: false, count: names.count + 1)
            if component == Self.anyNumberOfFolders {
                var isReached = false
                for index in 0...names.count {
                    isReached = isReached || reachable[index]
                    next[index] = isReached
                }
            } else {
                for index in names.indices where reachable[index] {
                    next[index + 1] = Self.fits(names[index], component)
                }
            }
            reachable = next
        }
        return reachable[names.count]
    }

    /// Matches one name without recursion: on a mismatch the last star takes one byte more.
    private static func fits(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var at = 0
        var next = 0
        var retry: (pattern: Int, name: Int)?
        while at < name.count {
            if next < pattern.count, pattern[next] == star {
                retry = (next + 1, at)
                next += 1
            } else if next < pattern.count, pattern[next] == 0x3F {
                // One character, not one byte.
                at += 1
                while at < name.count, name[at] & 0xC0 == 0x80 { at += 1 }
                next += 1
            } else if next < pattern.count, pattern[next] == name[at] {
                at += 1
                next += 1
            } else if let last = retry {
                retry = (last.pattern, last.name + 1)
                next = last.pattern
                at = last.name + 1
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == star }
    }
}
