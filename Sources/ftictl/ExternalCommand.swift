import ArgumentParser
import CommandSupport
import Glibc

/// A command that another executable provides: `ftictl feature run` is `fti-feature run`.
enum ExternalCommand {
    /// Becomes `fti-NAME` when the arguments name a command that is not built in.
    ///
    /// It is looked for beside this executable, then on the path.
    ///
    /// - Throws: `usage` when there is no such executable; says which commands are like it.
    static func runIfNamed(
        _ arguments: [String], environment: Environment
    ) throws(CommandError) {
        let count = GlobalOptions.leadingCount(in: arguments)
        guard count < arguments.count else {
            guard let last = arguments.last else { return }
            throw .usage(
                last == "--repo" ? "--repo lacks its value" : "no command is named",
                remedy: "ftictl --help")
        }
        var arguments = arguments
        if arguments[count] == "help", arguments.count == count + 2,
            isName(arguments[count + 1]),
            Ftictl.commandPath(in: [arguments[count + 1]]).isEmpty
        {
            arguments[count...] = [arguments[count + 1], "--help"]
        }
        let name = arguments[count]
        guard isName(name), Ftictl.commandPath(in: [name]).isEmpty, name != "help" else { return }
        let executable = "fti-\(name)"
        var passed = arguments
        passed.remove(at: count)
        for directory in directories(environment) {
            execute("\(directory)/\(executable)", [executable] + passed)
        }
        let names = Ftictl.configuration.subcommands.map { $0._commandName }
        // What is the name of another program's command is no slip of the hand.
        let near = names.first { $0.utf8.starts(with: name.utf8) || similar($0, name) }
        throw .usage(
            "there is no command \(name), and no \(executable) beside ftictl or on the path",
            remedy: Habits.remedy(for: name) ?? near.map { "ftictl \($0)" } ?? "ftictl --help")
    }

    private static func isName(_ text: String) -> Bool {
        text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }

    private static func directories(_ environment: Environment) -> [String] {
        var directories: [String] = []
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? -1
        }
        if length > 0 {
            let path = String(decoding: buffer.prefix(length), as: UTF8.self)
            if let slash = path.lastIndex(of: "/") { directories.append(String(path[..<slash])) }
        }
        let path = environment.variable("PATH") ?? ""
        return directories + path.split(separator: ":").map(String.init)
    }

    /// Returns only when the file cannot be executed.
    private static func execute(_ path: String, _ arguments: [String]) {
        guard access(path, X_OK) == 0 else { return }
        var pointers = arguments.map { strdup($0) }
        pointers.append(nil)
        execv(path, pointers)
        for pointer in pointers { free(pointer) }
    }

    /// Whether two names differ by one letter that is wrong, missing, extra or swapped.
    private static func similar(_ left: String, _ right: String) -> Bool {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        let prefix = zip(left, right).prefix { $0 == $1 }.count
        let suffix = zip(left.dropFirst(prefix).reversed(), right.dropFirst(prefix).reversed())
            .prefix { $0 == $1 }.count
        let restLeft = left.count - prefix - suffix
        let restRight = right.count - prefix - suffix
        return restLeft <= 1 && restRight <= 1
            || restLeft == 2 && restRight == 2 && left[prefix] == right[prefix + 1]
                && left[prefix + 1] == right[prefix]
    }
}
