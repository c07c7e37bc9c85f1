internal import Glibc

/// What the paths of a `put` name: every file, and every empty directory, with its place in the tree.
///
/// The content of a directory that is named alone lies at the root of the tree. A file, and each of
/// several paths, lies there under its own last name.
public struct InputWalk: Sendable {
    /// What was found, in the order of the paths in the tree.
    public private(set) var entries: [InputEntry] = []
    /// The sum of the sizes of the files in bytes.
    public private(set) var size = 0
    /// The repositories that were passed over, as paths for messages.
    public private(set) var skipped: [String] = []
    /// What was left out because tools leave it behind: the first paths, for messages.
    public private(set) var excludedByDefault = PathSample()
    /// What patterns left out.
    public private(set) var excluded = PathSample()
    /// The entries that got another name, with it.
    public private(set) var renamed = PathSample()

    private let options: InputOptions
    private var rules: IgnoreRules
    private var unusable: [UnusableEntry] = []
    private var unusableCount = 0
    /// The directories on the way to the one that is being listed, also across links.
    private var way: [FileStatus.Identity] = []
    private var linkedDirectories = 0
    private var linkNesting = 0

    /// Links to directories that are followed: more are a trap, which doubles at every step.
    private static let linkLimit = 10_000
    /// Links to directories behind each other.
    private static let nestingLimit = 32
    /// An ignore file is a list of patterns.
    private static let ignoreFileLimit = 1 << 20

    /// Lists what the paths name.
    ///
    /// A symbolic link in a directory is followed when what it leads to lies inside what the directory belongs to: the
    /// nearest directory above that a tool marks as its root (``LinkScope``), otherwise the directory itself.
    ///
    /// - Throws: `unusableEntries` for other links, pipes, sockets, devices and names that no tree may hold, all at
    ///   once; `unusable` for a path that is none of what can be stored; `system` for what cannot be read.
    public init(
        _ paths: [String], _ options: InputOptions = InputOptions()
    ) throws(StorageError) {
        self.options = options
        rules = IgnoreRules(options)
        for path in paths { try add(path, isAlone: paths.count == 1) }
        guard unusableCount == 0 else {
            throw .unusableEntries(unusable, count: unusableCount)
        }
        for entry in entries {
            // Holes make sizes that no disk has.
            let (sum, overflow) = size.addingReportingOverflow(entry.size)
            guard !overflow else {
                throw .unusable(path: entry.location, reason: "the files are too large together")
            }
            size = sum
        }
        // One directory is listed in the order of the tree, and has no name twice, unless some were renamed.
        guard paths.count > 1 || renamed.count > 0 else { return }
        entries.sort { $0.path < $1.path }
        for (first, second) in zip(entries, entries.dropFirst()) where first.path == second.path {
            throw .unusable(
                path: second.location, reason: "\(first.location) has the same place in the tree")
        }
    }

    // MARK: Paths

    private mutating func add(_ path: String, isAlone: Bool) throws(StorageError) {
        let isDescriptor = InputRoot.isDescriptor(path)
        let follows = options.followLinks || isDescriptor || Self.isLinkInScope(path)
        let status: FileStatus
        do {
            status = try FileStatus(of: path, followLink: follows)
        } catch .system(_, _, ELOOP) {
            throw .unusable(path: path, reason: "its symbolic links lead in a circle")
        } catch {
            throw error
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
            let scope = options.followLinks ? nil : LinkScope(of: root.absolutePath)
            try list(Listing(root: root, scope: scope, depth: top.names.count), directory, at: top)
        case .regular,
            .pipe where isDescriptor:
            let name = Self.lastName(of: path)
            guard rules.verdict(on: [name], isDirectory: false) != .excluded else {
                excluded.add(Self.printable(path))
                return
            }
            guard let place = try place(ofLast: path) else { return }
            let root = InputRoot(path, directory: nil, followLink: follows, depth: 1)
            entries.append(InputEntry(place, version: FileVersion(status), below: root))
        case .link:
            refuse(path, .link, "it is a symbolic link, which only --follow looks behind")
        default:
            refuse(path, .nature, "it is \(status.kind.description), not a file or a directory")
        }
    }

    /// Whether a path is a link that stays inside what a tool marks as its root.
    private static func isLinkInScope(_ path: String) -> Bool {
        guard let status = try? FileStatus(of: path, followLink: false), status.kind == .link,
            let (parent, _) = try? Directory.split(path),
            let folder = LinkScope.resolve(Array(parent.utf8)).path,
            let target = LinkScope.resolve(Array(path.utf8)).path
        else { return false }
        let scope = LinkScope(of: folder)
        return scope.isMarked && scope.contains(target)
    }

    private static func lastName(of path: String) -> [UInt8] {
        path.utf8.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
    }

    /// The place of a path that was named; nil, and noted, where it can have none.
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
            renamed.add("\(Self.printable(path)) -> \(other)")
            return try? RelativePath([other])
        }
    }

    private mutating func refuse(
        _ path: String, _ problem: UnusableEntry.Problem, _ reason: String
    ) {
        unusableCount += 1
        guard unusable.count < PathSample.limit else { return }
        unusable.append(
            UnusableEntry(path: Self.printable(path), problem: problem, reason: reason))
    }

    /// A location with everything that could disturb a line of text replaced.
    private static func printable(_ location: String) -> String {
        guard location.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return location }
        return FileNameError(name: Array(location.utf8), reason: "").quoted
    }

    // MARK: Directories

    /// What a directory is listed as.
    private struct Listing {
        let root: InputRoot
        /// Where links may lead; nil for anywhere.
        let scope: LinkScope?
        /// How many names a path in the tree has before those that patterns are about.
        let depth: Int
        /// How many names patterns are about lie above the root.
        var linkDepth: Int { root.depth - depth }
    }

    /// A directory on the way from the root to the one that is being listed.
    private struct Level {
        let path: RelativePath
        /// The names from the directory that was named, as they are there.
        let trail: [[UInt8]]
        // Nil while it is far above: too many open directories would be refused by the system.
        var directory: Directory?
        let names: [[UInt8]]
        /// The rules as they were above.
        let rulesAbove: IgnoreRules
        /// What names that no tree may hold are called there.
        var repaired: [[UInt8]: FileName] = [:]
        /// Which names there are, as a file system that ignores case has them; nil where none can be mistaken.
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

    /// How many directories above the one that is being listed stay open: few, so that 64 descriptors suffice for a
    /// tree of any depth.
    private static let openLevels = 16

    private mutating func list(
        _ listing: Listing, _ top: Directory, at path: RelativePath, trail: [[UInt8]] = []
    ) throws(StorageError) {
        way.append(try top.status().identity)
        var levels = [try level(path, trail, top)]
        try readRules(of: levels[0])
        while let level = levels.last {
            guard level.next < level.names.count else {
                if level.isEmpty {
                    entries.append(entry(level.path, level.trail, nil, listing))
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
                directory = try listing.root.openDirectory(level.trail[listing.linkDepth...])
                levels[levels.count - 1].directory = directory
            }
            let name = level.names[level.next]
            levels[levels.count - 1].next += 1
            let inner = try visit(name, in: directory, &levels[levels.count - 1], listing)
            guard let inner else { continue }
            if levels.count >= Self.openLevels {
                levels[levels.count - Self.openLevels].directory = nil
            }
            if let inside = inner.directory { way.append(try inside.status().identity) }
            levels.append(inner)
            try readRules(of: inner)
        }
    }

    /// Takes one entry of a directory; gives the level of a directory that must be listed.
    private mutating func visit(
        _ name: [UInt8], in directory: Directory, _ level: inout Level, _ listing: Listing
    ) throws(StorageError) -> Level? {
        guard let status = try directory.status(of: name) else {
            throw .changed(path: directory.path(of: name))
        }
        if status.kind == .directory, try directory.hasRepository(name) {
            skipped.append(directory.path(of: name))
            return nil
        }
        let trail = level.trail + [name]
        switch rules.verdict(on: trail, isDirectory: status.kind == .directory) {
        case .kept: break
        case .excluded:
            excluded.add(Self.printable(directory.path(of: name)))
            level.isEmpty = false
            return nil
        case .excludedByDefault:
            excludedByDefault.add(Self.printable(directory.path(of: name)))
            level.isEmpty = false
            return nil
        }
        level.isEmpty = false
        guard let place = place(name, in: &level, { directory.path(of: name) }) else { return nil }
        switch status.kind {
        case .directory: return try self.level(place, trail, try directory.directory(name))
        case .regular: entries.append(entry(place, trail, FileVersion(status), listing))
        case .link: try follow(name, in: directory, place, trail, listing)
        default:
            refuse(
                directory.path(of: name), .nature,
                "it is \(status.kind.description), not a file or a directory")
        }
        return nil
    }

    private func entry(
        _ place: RelativePath, _ trail: [[UInt8]], _ version: FileVersion?, _ listing: Listing
    ) -> InputEntry {
        InputEntry(
            place, version: version, below: listing.root,
            found: renamed.count > 0 ? Array(trail[listing.linkDepth...]) : nil)
    }

    /// The place of an entry; nil, and noted, where it can have none.
    private mutating func place(
        _ name: [UInt8], in level: inout Level, _ location: () -> String
    ) -> RelativePath? {
        do throws(FileNameError) {
            let own: FileName
            if let other = level.repaired[name] {
                own = other
                renamed.add("\(Self.printable(location())) -> \(other)")
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

    // MARK: Links

    private mutating func follow(
        _ name: [UInt8], in directory: Directory, _ place: RelativePath, _ trail: [[UInt8]],
        _ listing: Listing
    ) throws(StorageError) {
        let location = directory.path(of: name)
        let own = [listing.root.absolutePath] + trail[listing.linkDepth...]
        let (target, code) = LinkScope.resolve(Array(own.joined(separator: [0x2F])))
        guard let target else {
            return refuse(
                location, .nature,
                "it is a symbolic link, and what it leads to cannot be found: "
                    + StorageError.describe(code))
        }
        guard listing.scope?.contains(target) ?? true else {
            return refuse(
                location, .link, "it is a symbolic link out of what the directory belongs to")
        }
        guard let path = String(validating: target, as: UTF8.self) else {
            return refuse(location, .nature, "it leads to a path that is not valid UTF-8")
        }
        let status = try FileStatus(of: path, followLink: false)
        switch status.kind {
        case .regular:
            let root = InputRoot(
                path, directory: nil, followLink: false, depth: place.names.count, isLinked: true)
            entries.append(InputEntry(place, version: FileVersion(status), below: root))
        case .directory:
            guard rules.verdict(on: trail, isDirectory: true) == .kept else {
                return excluded.add(Self.printable(location))
            }
            guard !way.contains(status.identity) else {
                return refuse(location, .nature, "its symbolic links lead in a circle")
            }
            linkedDirectories += 1
            linkNesting += 1
            defer { linkNesting -= 1 }
            guard linkedDirectories <= Self.linkLimit, linkNesting <= Self.nestingLimit else {
                throw .unusable(path: location, reason: "too many links lead to directories")
            }
            let inside = try Directory(opening: path, followLink: false)
            let root = InputRoot(
                path, directory: inside, followLink: false, depth: place.names.count,
                isLinked: true)
            try list(
                Listing(root: root, scope: listing.scope, depth: listing.depth), inside,
                at: place, trail: trail)
        default:
            refuse(
                location, .nature,
                "it leads to \(status.kind.description), not to a file or a directory")
        }
    }
}
