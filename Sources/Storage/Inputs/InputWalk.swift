internal import Glibc

/// The files and empty directories that the paths of a `put` name, each with its place in the tree.
///
/// The content of a single directory goes to the root of the tree. A file, and each of several paths, goes there under
/// its own last name.
public struct InputListing: Sendable {
    /// The files and empty directories, in the order of their paths in the tree.
    public fileprivate(set) var entries: [InputEntry] = []
    /// The total size of the files in bytes.
    public fileprivate(set) var size = 0
    /// The paths of repositories that were skipped.
    public fileprivate(set) var skipped: [String] = []
    /// The entries that the default patterns exclude.
    public fileprivate(set) var excludedByDefault = PathSample()
    /// The entries that other patterns exclude.
    public internal(set) var excluded = PathSample()
    /// The entries that were renamed, with their new names.
    public fileprivate(set) var renamed = PathSample()

    /// Walks the paths and lists what they name.
    ///
    /// A symbolic link in a directory is followed when its target lies in the directory's scope: the nearest directory
    /// above that a tool marks as its root (``LinkScope``), else the directory itself. A path that is itself a link is
    /// followed only if a tool marks its scope.
    ///
    /// - Throws: `unusableEntries` for all other links, pipes, sockets, devices and invalid names together; `unusable`
    ///   for a path that cannot be stored, such as a repository, and for two inputs with the same place in the tree;
    ///   `changed` for an entry that vanishes; `system` for a path that cannot be read.
    public static func walking(
        _ paths: [String], _ options: InputOptions = InputOptions()
    ) throws(StorageError) -> InputListing {
        var walk = InputWalk(options)
        for path in paths { try walk.add(path, isAlone: paths.count == 1) }
        guard walk.unusableCount == 0 else {
            throw .unusableEntries(walk.unusable, count: walk.unusableCount)
        }
        var listing = walk.listing
        for entry in listing.entries {
            // Sparse files can claim more bytes than any disk has.
            let (sum, overflow) = listing.size.addingReportingOverflow(entry.size)
            guard !overflow else {
                throw .unusable(path: entry.location, reason: "the files are too large together")
            }
            listing.size = sum
        }
        // A single directory is walked in the order of the tree, and its names are distinct unless some were renamed.
        guard paths.count > 1 || listing.renamed.count > 0 else { return listing }
        listing.entries.sort { $0.path < $1.path }
        for (first, second) in zip(listing.entries, listing.entries.dropFirst())
        where first.path == second.path {
            throw .unusable(
                path: second.location, reason: "\(first.location) has the same place in the tree")
        }
        return listing
    }
}

/// The first few of many paths, and the number of all.
public struct PathSample: Sendable {
    /// The first paths, printable.
    public private(set) var paths: [String] = []
    /// The number of all paths.
    public private(set) var count = 0

    static let limit = 20

    mutating func add(_ path: @autoclosure () -> String) {
        if count < Self.limit { paths.append(path()) }
        count += 1
    }
}

/// A directory entry that cannot be stored.
public struct UnusableEntry: Hashable, Sendable, CustomStringConvertible {
    /// The class of the reason, on which the remedy depends.
    public enum Problem: Hashable, Sendable {
        /// Its name is not valid in a tree, or differs from another only in ways that some file systems ignore.
        case name
        /// It is a symbolic link that is not followed.
        case link
        /// It is a pipe, a socket, a device, or a link that no option can follow.
        case nature
    }

    /// The path, printable.
    public let path: String
    /// The kind of problem.
    public let problem: Problem
    /// The reason, as a clause that calls the entry "it".
    public let reason: String

    /// `PATH: REASON`.
    public var description: String { "\(path): \(reason)" }

    /// The options that would follow, rename or exclude the entries, for the message.
    static func remedy(for entries: [UnusableEntry]) -> String {
        let problems = Set(entries.map(\.problem))
        var ways: [String] = []
        if problems.contains(.link) { ways.append("--follow stores the targets of links") }
        if problems.contains(.name) { ways.append("--rename-invalid renames them") }
        return (ways + ["--exclude PATTERN excludes them"]).joined(separator: "; ")
    }
}

/// A walk over the paths of a `put`, which adds what it finds to a listing.
struct InputWalk {
    var listing = InputListing()
    fileprivate var unusable: [UnusableEntry] = []
    fileprivate var unusableCount = 0
    private let options: InputOptions
    private(set) var rules: IgnoreRules
    /// The scope of links below the current path; nil when they may lead anywhere.
    private(set) var scope: LinkScope?
    /// The directories from the current path down to the one being listed, including those reached by links.
    private(set) var way: [FileStatus.Identity] = []
    var linkedDirectories = 0
    var linkNesting = 0

    /// The maximum number of bytes in an ignore file.
    private static let ignoreFileLimit = 1 << 20

    fileprivate init(_ options: InputOptions) {
        self.options = options
        rules = IgnoreRules(options)
    }

    // MARK: Paths

    fileprivate mutating func add(_ path: String, isAlone: Bool) throws(StorageError) {
        let isDescriptor = InputRoot.isDescriptor(path)
        let follows = options.followLinks || isDescriptor || Self.isLinkInScope(path)
        let status: FileStatus
        do throws(StorageError) {
            status = try FileStatus(of: path, followLink: follows)
        } catch .system(_, _, ELOOP) {
            throw .unusable(path: path, reason: "its symbolic links lead in a circle")
        }
        switch status.kind {
        case .directory:
            let directory = try Directory(opening: path, followLink: follows)
            guard try !directory.holds(BucketFolder.initial) else {
                throw .unusable(path: path, reason: "it is a repository, not content for one")
            }
            guard let top = isAlone ? .root : try place(ofLast: path) else { return }
            let root = InputRoot(
                path, directory: directory, followLink: follows, depth: top.names.count)
            scope = options.followLinks ? nil : LinkScope(of: root.absolutePath)
            try list(directory, below: root, at: top)
        case .regular,
            .pipe where isDescriptor:
            let name = Self.lastName(of: path)
            guard rules.verdict(on: [name], isDirectory: false) != .excluded else {
                listing.excluded.add(Self.printable(path))
                return
            }
            guard let place = try place(ofLast: path) else { return }
            let root = InputRoot(path, directory: nil, followLink: follows, depth: 1)
            add(InputEntry(place, version: FileVersion(status), below: root))
        case .link:
            refuse(path, .link, "it is a symbolic link; only --follow follows it")
        default:
            refuse(path, .nature, "it is \(status.kind), not a file or a directory")
        }
    }

    private static func lastName(of path: String) -> [UInt8] {
        path.utf8.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
    }

    /// The place in the tree of a path that the user named; refuses the path and returns nil when it has none.
    private mutating func place(ofLast path: String) throws(StorageError) -> RelativePath? {
        let name = Self.lastName(of: path)
        do throws(FileNameError) {
            return try RelativePath([FileName(name)])
        } catch {
            var repair = NameRepair(keeping: [])
            guard options.renamesInvalid, let other = repair.repaired(name) else {
                refuse(path, .name, error.reason)
                return nil
            }
            listing.renamed.add("\(Self.printable(path)) -> \(other)")
            return try? RelativePath([other])
        }
    }

    mutating func add(_ entry: InputEntry) { listing.entries.append(entry) }

    mutating func refuse(
        _ path: String, _ problem: UnusableEntry.Problem, _ reason: String
    ) {
        unusableCount += 1
        guard unusable.count < PathSample.limit else { return }
        unusable.append(
            UnusableEntry(path: Self.printable(path), problem: problem, reason: reason))
    }

    /// The location, quoted and escaped if it has control characters, which would garble the output.
    static func printable(_ location: String) -> String {
        guard location.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return location }
        return FileNameError(name: Array(location.utf8), reason: "").quoted
    }

    // MARK: Directories

    /// A directory on the way from the root to the one being listed.
    private struct Level {
        let path: RelativePath
        /// The names below the directory that the user named, as on disk.
        let trail: [[UInt8]]
        // Nil while the walk is far below: the system limits open directories.
        var directory: Directory?
        let names: [[UInt8]]
        /// The rules of the directory above.
        let rulesAbove: IgnoreRules
        /// New names, by the names that are not valid in a tree.
        var repaired: [[UInt8]: FileName] = [:]
        /// The names so far, as a file system that ignores case sees them; nil when no two of the names can be equal.
        var folded: [String: FileName]?
        var next = 0
        var isEmpty = true
    }

    private func level(
        _ path: RelativePath, _ trail: [[UInt8]], _ directory: Directory
    ) throws(StorageError) -> Level {
        var names = try directory.takeNames()
        names.sort { $0.lexicographicallyPrecedes($1) }
        var level = Level(
            path: path, trail: trail, directory: directory, names: names, rulesAbove: rules)
        let isPlain = names.allSatisfy { $0.allSatisfy { $0 < 0x80 && !(0x41...0x5A ~= $0) } }
        if !isPlain { level.folded = [:] }
        guard options.renamesInvalid else { return level }
        var kept: [FileName] = []
        var bad: [[UInt8]] = []
        var seen: Set<String> = []
        for name in names {
            if let good = try? FileName(name), isPlain || seen.insert(good.folded).inserted {
                kept.append(good)
            } else {
                bad.append(name)
            }
        }
        var repair = NameRepair(keeping: kept)
        for name in bad { level.repaired[name] = repair.repaired(name) }
        return level
    }

    /// The number of directories above the one being listed that stay open: few, so that 64 descriptors suffice for any
    /// depth. Each directory reached by a link adds as many.
    private static let openLevels = 16

    mutating func list(
        _ top: Directory, below root: InputRoot, at path: RelativePath, trail: [[UInt8]] = []
    ) throws(StorageError) {
        way.append(try top.status().identity)
        var levels = [try level(path, trail, top)]
        try readRules(of: levels[0])
        while let level = levels.last {
            guard level.next < level.names.count else {
                if level.isEmpty {
                    add(level.path, level.trail, nil, root)
                }
                rules = level.rulesAbove
                way.removeLast()
                levels.removeLast()
                continue
            }
            let directory: Directory
            if let open = level.directory {
                directory = open
            } else {
                directory = try root.openDirectory(level.trail[root.linkDepth...])
                levels[levels.count - 1].directory = directory
            }
            let name = level.names[level.next]
            levels[levels.count - 1].next += 1
            let inner = try visit(name, in: directory, &levels[levels.count - 1], root)
            guard let inner else { continue }
            if levels.count >= Self.openLevels {
                levels[levels.count - Self.openLevels].directory = nil
            }
            if let inside = inner.directory { way.append(try inside.status().identity) }
            levels.append(inner)
            try readRules(of: inner)
        }
    }

    /// Visits one entry of a directory; returns the level of a subdirectory, which must be listed.
    private mutating func visit(
        _ name: [UInt8], in directory: Directory, _ level: inout Level, _ root: InputRoot
    ) throws(StorageError) -> Level? {
        guard let status = try directory.status(of: name) else {
            throw .changed(path: directory.path(of: name))
        }
        if status.kind == .directory, try directory.hasRepository(name) {
            listing.skipped.append(directory.path(of: name))
            return nil
        }
        let trail = level.trail + [name]
        switch rules.verdict(on: trail, isDirectory: status.kind == .directory) {
        case .kept: break
        case .excluded:
            listing.excluded.add(Self.printable(directory.path(of: name)))
            level.isEmpty = false
            return nil
        case .excludedByDefault:
            listing.excludedByDefault.add(Self.printable(directory.path(of: name)))
            level.isEmpty = false
            return nil
        }
        level.isEmpty = false
        guard let place = place(name, in: &level, { directory.path(of: name) }) else { return nil }
        switch status.kind {
        case .directory: return try self.level(place, trail, try directory.directory(name))
        case .regular: add(place, trail, FileVersion(status), root)
        case .link where options.refusesLinks:
            refuse(directory.path(of: name), .link, "it is a symbolic link")
        case .link: try follow(name, in: directory, below: root, place, trail)
        default:
            refuse(
                directory.path(of: name), .nature,
                "it is \(status.kind), not a file or a directory")
        }
        return nil
    }

    private mutating func add(
        _ place: RelativePath, _ trail: [[UInt8]], _ version: FileVersion?, _ root: InputRoot
    ) {
        add(
            InputEntry(
                place, version: version, below: root,
                found: listing.renamed.count > 0 ? Array(trail[root.linkDepth...]) : nil))
    }

    /// The place of an entry in the tree; refuses the entry and returns nil when it has none.
    private mutating func place(
        _ name: [UInt8], in level: inout Level, _ location: () -> String
    ) -> RelativePath? {
        do throws(FileNameError) {
            let own: FileName
            if let other = level.repaired[name] {
                own = other
                listing.renamed.add("\(Self.printable(location())) -> \(other)")
            } else {
                own = try FileName(name)
            }
            if let other = level.folded?.updateValue(own, forKey: own.folded) {
                refuse(
                    location(), .name,
                    "a file system that ignores case cannot tell it from \(other)")
                return nil
            }
            return try level.path.appending(own)
        } catch {
            refuse(location(), .name, error.reason)
            return nil
        }
    }

    private mutating func readRules(of level: Level) throws(StorageError) {
        let name = Array(InputOptions.ignoreFile.utf8)
        guard let directory = level.directory,
            let status = try directory.status(of: name), status.kind == .regular
        else { return }
        guard status.size <= Self.ignoreFileLimit else {
            throw .unusable(
                path: directory.path(of: name),
                reason: "it has more than \(Self.ignoreFileLimit >> 20) MiB")
        }
        let file = try InputFile(opening: name, in: directory)
        let text = ByteOrderMark.skipped(try file.read(at: 0, count: file.size))
        rules.add(text, depth: level.trail.count)
    }
}
