internal import Storage

/// A sandbox for a trainer, by bubblewrap: no network, no other processes, and only the files that are named here.
///
/// The system's programs and libraries, the interpreter and the configuration's folder are read-only; only the folders
/// of the run are writable. The repository is hidden even if it lies in the configuration's folder.
struct TrainerSandbox {
    /// The path of bubblewrap.
    let program: String
    /// The arguments before the trainer's command.
    let arguments: [String]
    /// The processes between bubblewrap and the trainer: itself, and the first process of the sandbox.
    static let processes = 2

    /// Plans the sandbox of a command.
    ///
    /// - Parameters:
    ///   - home: The user's home directory; nil if unknown.
    ///   - repository: The path of the repository; nil if it is not in the file system.
    /// - Throws: `sandbox` if bubblewrap is missing, or if the configuration's folder would show what must be hidden.
    init(
        for command: TrainerCommand, _ folders: TrainerFolders, home: String?, repository: String?
    ) throws(TrainingError) {
        guard
            let program = TrainerCommand.find(
                "bwrap", from: command.folder, path: "\(command.environment.path):/usr/bin:/bin")
        else {
            throw .sandbox(
                reason: "bubblewrap (bwrap) is not installed", remedy: "apt-get install bubblewrap")
        }
        self.program = program
        let folder = command.folder
        let home = home.flatMap(FilePlace.resolved)
        if let home, FilePlace.contains(folder, home) {
            throw .sandbox(
                reason: "the trainer would see your home directory, because the configuration is "
                    + "in \(folder)",
                remedy: "move the configuration and the trainer to a folder of their own")
        }
        let hidden = repository.flatMap(FilePlace.resolved)
        if let hidden, FilePlace.contains(hidden, folder) {
            throw .sandbox(
                reason: "the configuration is inside the repository \(hidden)",
                remedy: "move the configuration and the trainer to a folder of their own")
        }
        var words = [
            "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        ]
        words += Self.system
        for place in Self.interpreter(of: command, hiding: [home, hidden].compactMap(\.self)) {
            words += ["--ro-bind", place, place]
        }
        words += ["--ro-bind", folder, folder]
        if let hidden, Self.shows(hidden, words) { words += ["--tmpfs", hidden] }
        for place in folders.readable { words += ["--ro-bind", place, place] }
        for place in folders.writable { words += ["--bind", place, place] }
        // What lies between those places is writable until here.
        arguments = words + ["--remount-ro", "/", "--chdir", folder, "--"]
    }

    /// Whether a path lies in a place that is bound so far.
    private static func shows(_ path: String, _ words: [String]) -> Bool {
        zip(words, words.dropFirst()).contains { option, place in
            option.hasPrefix("--ro-bind") && FilePlace.contains(place, path)
        }
    }

    /// Programs, libraries, devices, and the few files in `/etc` that programs expect.
    private static var system: [String] {
        var words = ["--ro-bind", "/usr", "/usr"]
        for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
            let path = "/\(name)"
            if FilePlace.isLink(path), let target = FilePlace.target(of: path) {
                words += ["--symlink", target, path]
            } else {
                words += ["--ro-bind-try", path, path]
            }
        }
        for name in [
            "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "passwd", "group",
            "nsswitch.conf", "localtime", "timezone", "locale.alias", "python3",
        ] { words += ["--ro-bind-try", "/etc/\(name)", "/etc/\(name)"] }
        words += ["--proc", "/proc", "--dev", "/dev"]
        // Accelerators, and where their drivers find them.
        let devices =
            ["nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "kfd", "dri"]
            + (0..<16).map { "nvidia\($0)" }
        let found = devices.map { "/dev/\($0)" }.filter(FilePlace.exists)
        for device in found { words += ["--dev-bind", device, device] }
        if !found.isEmpty { words += ["--ro-bind", "/sys", "/sys"] }
        return words
    }

    /// The folders of the program outside of `/usr` and of the configuration's folder: for a virtual environment of
    /// Python, also that of the interpreter that it was made from.
    private static func interpreter(
        of command: TrainerCommand, hiding secret: [String]
    ) -> [String] {
        var programs = [command.program]
        let environment = FilePlace.parent(of: FilePlace.parent(of: command.program))
        if let bytes = try? LocalFile.read("\(environment)/pyvenv.cfg", limit: 64 << 10) {
            for line in bytes.split(separator: 0x0A) {
                guard let home = line.wholeValue(of: "home") else { continue }
                programs.append("\(home)/python3")
            }
        }
        programs += programs.compactMap(FilePlace.resolved)
        var places: [String] = []
        for program in programs {
            let folder = FilePlace.parent(of: program)
            let isInBin = FilePlace.name(of: folder) == "bin"
            let prefix = isInBin ? FilePlace.parent(of: folder) : folder
            // A program directly in the home directory comes alone, without what lies beside it.
            let isTooMuch = prefix == "/" || secret.contains { FilePlace.contains(prefix, $0) }
            let place = isTooMuch ? program : prefix
            let isThere = (["/usr", "/bin", "/sbin", command.folder] + places).contains {
                FilePlace.contains($0, place)
            }
            if !isThere, FilePlace.exists(place) { places.append(place) }
        }
        return places
    }
}

extension ArraySlice<UInt8> {
    /// The value of a line `KEY = VALUE` with this key; nil for any other line.
    fileprivate func wholeValue(of key: String) -> String? {
        func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
            let start = text.drop { $0 <= 0x20 }
            return start.prefix(
                (start.lastIndex { $0 > 0x20 } ?? start.startIndex - 1) + 1 - start.startIndex)
        }
        guard let mark = firstIndex(of: UInt8(ascii: "=")),
            trimmed(self[..<mark]).elementsEqual(key.utf8)
        else { return nil }
        return String(decoding: trimmed(self[(mark + 1)...]), as: UTF8.self)
    }
}
