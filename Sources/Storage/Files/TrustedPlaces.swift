internal import Glibc

/// The places of other users that a user trusts: lines of a file, each an absolute path; a line `*` stands for all.
///
/// Empty lines and lines that begin with `#` mean nothing.
public struct TrustedPlaces: Sendable {
    /// Where the list is, for messages; nil when there can be none.
    public let path: String?
    private let places: Set<[UInt8]>

    /// A longer file is no such list.
    private static let byteLimit = 64 << 10

    /// No place.
    public static let none = TrustedPlaces(path: nil, places: [])

    private init(path: String?, places: Set<[UInt8]>) {
        self.path = path
        self.places = places
    }

    /// Reads the list in a file of the process's user or of the superuser that nobody else can write; any other
    /// file, and none, lists no place.
    public init(reading path: String) {
        self.init(path: path, places: Self.places(in: path))
    }

    private static func places(in path: String) -> Set<[UInt8]> {
        guard
            let file = try? FileDescriptor(opening: path, O_RDONLY | O_NONBLOCK, followLink: true),
            let status = try? file.status(), status.kind == .regular,
            status.owner == geteuid() || status.owner == 0,
            status.mode & UInt32(S_IWGRP | S_IWOTH) == 0, status.size <= byteLimit,
            let bytes = try? file.read(at: 0, upTo: status.size)
        else { return [] }
        let lines = bytes.split(separator: 0x0A).map { line in
            Array(line.last == 0x0D ? line.dropLast() : line)
        }
        return Set(lines.filter { $0.first != UInt8(ascii: "#") })
    }

    /// Whether a place is listed by the path that it has when all symbolic links are followed.
    func contains(_ place: String) -> Bool {
        guard !places.isEmpty else { return false }
        if places.contains([UInt8(ascii: "*")]) { return true }
        guard let resolved = Self.resolved(place) else { return false }
        return places.contains(resolved)
    }

    /// The absolute path of a place without symbolic links, or nil when it is not there.
    static func resolved(_ place: String) -> [UInt8]? {
        guard let resolved = realpath(place, nil) else { return nil }
        defer { free(resolved) }
        return Array(String(cString: resolved).utf8)
    }
}
