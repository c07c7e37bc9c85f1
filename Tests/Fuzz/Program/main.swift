internal import CFuzzer
internal import FuzzTargets
internal import Glibc

// fuzz list | fuzz seeds TARGET EXAMPLE FOLDER | fuzz run TARGET [libFuzzer's arguments]

/// The target that this process runs.
nonisolated(unsafe) var target: FuzzTarget?

func stop(_ message: String) -> Never {
    fputs("fuzz: \(message)\n", fdopen(STDERR_FILENO, "w"))
    exit(64)
}

func named(_ name: String) -> FuzzTarget {
    guard let found = FuzzTarget.all.first(where: { $0.name == name }) else {
        stop("there is no target \(name)")
    }
    return found
}

func write(_ bytes: [UInt8], to path: String) {
    guard let file = fopen(path, "w") else { stop("\(path) cannot be written") }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
}

let arguments = CommandLine.arguments
switch arguments.dropFirst().first {
case "list":
    for target in FuzzTarget.all { print(target.name) }
case "seeds" where arguments.count == 5:
    let target = named(arguments[2])
    let seeds = try target.seeds(ExampleBytes(repository: arguments[3]))
    for (index, seed) in seeds.enumerated() {
        write(seed, to: "\(arguments[4])/seed-\(index)")
    }
    write(Dictionary.text(target.words), to: "\(arguments[4]).words")
case "run" where arguments.count >= 3:
    let chosen = named(arguments[2])
    target = chosen
    let options = [arguments[0], "-max_len=\(chosen.longestInput)"] + arguments.dropFirst(3)
    var words: [UnsafeMutablePointer<CChar>?] = []
    for option in options { words.append(strdup(option)) }
    var count = CInt(words.count)
    words.append(nil)
    words.withUnsafeMutableBufferPointer { buffer in
        var start = buffer.baseAddress
        exit(
            LLVMFuzzerRunDriver(&count, &start) { data, size in
                guard let target else { return 0 }
                // A copy of exactly this size, so that the sanitizer notices reads beyond it.
                let input = [UInt8](UnsafeBufferPointer(start: data, count: size))
                do throws(FuzzFinding) { try target.check(input) } catch {
                    fatalError(error.description)
                }
                return 0
            })
    }
default: stop("list, seeds TARGET EXAMPLE FOLDER or run TARGET is expected")
}

/// Formats words as a libFuzzer dictionary.
enum Dictionary {
    static func text(_ words: [String]) -> [UInt8] {
        var text = ""
        for word in words {
            text += "\""
            for byte in word.utf8 {
                text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            text += "\"\n"
        }
        return Array(text.utf8)
    }
}
