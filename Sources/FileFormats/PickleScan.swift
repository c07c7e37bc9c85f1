internal import Objects

/// Distinguishes Python pickles from other files, by following their instructions without executing them.
///
/// Begins where a loading program begins: at the first byte, and again after every complete pickle and NumPy array.
struct PickleScan {
    /// Whether loading the pickles of the file, one after another, can run code.
    private(set) var runsCode = false
    /// Whether a plausible name is imported; that alone does not prove a pickle.
    private(set) var imports = false
    /// Whether the file, as far as it was followed, is certainly a pickle, even if it runs no code.
    private(set) var isPlain = false
    /// Whether the file begins with NumPy arrays without objects.
    private(set) var isArrays = false

    /// The most instructions to follow in a file, which takes a second or two; a file with more counts as a pickle.
    private static let instructionLimit = 16 << 20
    /// The fewest instructions that prove a truncated pickle, the one that states the protocol included.
    private static let enough = 2

    /// Follows the pickles that a reader provides.
    static func scan(
        _ reader: inout ByteReader<some ByteFeed>, limit: Int = instructionLimit
    ) throws(ObjectError) -> PickleScan {
        var scan = PickleScan()
        try scan.follow(&reader, limit: limit)
        return scan
    }

    private mutating func follow(
        _ reader: inout ByteReader<some ByteFeed>, limit: Int
    ) throws(ObjectError) {
        var left = limit
        var pickles = 0
        while true {
            if try reader.peek(NPYHeader.magic.count).elementsEqual(NPYHeader.magic) {
                guard let header = try NPYHeader(&reader), !header.holdsObjects else {
                    runsCode = true
                    return
                }
                isArrays = isArrays || pickles == 0
                guard try reader.skip(header.dataSize) else { return }
                continue
            }
            guard try !reader.peek(1).isEmpty else {
                // A text such as "N.B." begins with a pickle, so count one only at the end of the file.
                isPlain = isPlain || pickles > 0
                return
            }
            var machine = PickleMachine()
            let end = try machine.run(&reader, limit: left)
            let trace = machine.trace
            left -= trace.instructions
            imports = imports || trace.imports
            runsCode = runsCode || trace.calls
            isPlain = isPlain || trace.hasFrame
            switch end {
            case .stopped:
                pickles += 1
                runsCode = runsCode || trace.mayImport
                isPlain = isPlain || trace.hasProtocol
                if runsCode { return }
            case .cut:
                isPlain = isPlain || trace.hasProtocol && trace.instructions >= Self.enough
                return
            case .broken: return
            case .endless:
                runsCode = true
                return
            }
        }
    }

    /// Whether the file is a pickle, or runs code as one.
    ///
    /// - Parameter isText: Whether the file is valid text. A list of words can look like an import, so text counts as a
    ///   pickle only if it calls what it imports.
    func isPickle(isText: Bool) -> Bool { runsCode || isPlain || imports && !isText }
}

/// Follows the instructions of one pickle like Python's unpickler, without executing them.
///
/// Tracks the kinds of the values on the stack and in the memo, not the values. Continues if the outcome depends on the
/// version of Python or on the loading program.
struct PickleMachine {
    /// The kind of a value, as far as it matters here.
    enum Kind: UInt8 {
        case mark
        case text
        /// A number, a truth value or None.
        case scalar
        /// A tuple, a list, a dictionary, a set or bytes.
        case container
        /// The result of an import, a call or a persistent reference.
        case object
    }

    /// How a pickle ends.
    enum End {
        /// With STOP: it is complete.
        case stopped
        /// The bytes end between two instructions.
        case cut
        /// Python would fail.
        case broken
        /// It has more instructions than are followed.
        case endless
    }

    /// The facts found so far.
    struct Trace {
        /// Whether a plausible name is imported.
        var imports = false
        /// Whether anything is imported, even by an implausible name or a registered number.
        var mayImport = false
        /// Whether an imported object is called, or has its state set.
        var calls = false
        /// Whether it begins with the instruction that states the protocol.
        var hasProtocol = false
        /// Whether a frame of a plausible size follows that instruction, as in protocol 4 and later. No other file
        /// begins like this.
        var hasFrame = false
        /// The number of instructions.
        var instructions = 0
    }

    private(set) var trace = Trace()
    private var stack: [Kind] = []
    private var memo: [UInt64: Kind] = [:]

    /// The longest line that is kept; a longer one is neither a name nor a number.
    private static let lineLimit = 4096
    /// The newest protocol.
    private static let newestProtocol = 5
    /// The maximum number of values in the memo; once it is full, a value from it may be of any kind.
    private static let memoLimit = 1 << 18

    /// Follows at most `limit` instructions, up to the end of the pickle.
    mutating func run(
        _ reader: inout ByteReader<some ByteFeed>, limit: Int
    ) throws(ObjectError) -> End {
        while let byte = try reader.next() {
            guard let instruction = PickleInstruction(byte) else { return .broken }
            guard trace.instructions < limit else { return .endless }
            trace.instructions += 1
            var argument: UInt64 = 0
            switch instruction.argument {
            case .bytes(let count):
                guard let number = try reader.number(count) else { return .broken }
                argument = number
            case .counted(let width):
                guard let length = try reader.number(width), try reader.skip(length) else {
                    return .broken
                }
            case .line:
                let line = try reader.line(limit: Self.lineLimit)
                if case .global(let calls) = instruction.effect {
                    let name = try reader.line(limit: Self.lineLimit)
                    guard takeGlobal(line, name, calls: calls) else { return .broken }
                    continue
                }
                // The end of a long line is lost, so only text can be accepted.
                let isKept = line.count <= Self.lineLimit
                guard
                    isKept ? PickleInstruction.accepts(line[...], after: byte) : isText(byte)
                else { return .broken }
                argument = line.reduce(0) { 0x30...0x39 ~= $1 ? $0 &* 10 &+ UInt64($1 - 0x30) : $0 }
            }
            if byte == 0x80 {
                guard argument <= Self.newestProtocol else { return .broken }
                trace.hasProtocol = trace.hasProtocol || trace.instructions == 1
            }
            if byte == 0x95, trace.hasProtocol, trace.instructions == 2, argument <= UInt32.max {
                trace.hasFrame = true
            }
            if case .stop = instruction.effect {
                return stack.last.map { $0 != .mark } == true ? .stopped : .broken
            }
            guard apply(instruction.effect, argument) else { return .broken }
        }
        return .cut
    }

    private func isText(_ byte: UInt8) -> Bool { [0x53, 0x56, 0x50].contains(byte) }

    // MARK: Effects

    /// Whether at least `count` values are above the last mark.
    private func has(_ count: Int) -> Bool {
        stack.count >= count && stack.suffix(count).allSatisfy { $0 != .mark }
    }

    /// Pops everything down to the last mark; returns the lowest values above it, at most three, or nil without a mark.
    private mutating func takeToMark() -> [Kind]? {
        guard let mark = stack.lastIndex(of: .mark) else { return nil }
        let values = Array(stack[(mark + 1)...].prefix(3))
        stack.removeLast(stack.count - mark)
        return values
    }

    private mutating func apply(_ effect: PickleInstruction.Effect, _ argument: UInt64) -> Bool {
        switch effect {
        case .push(let kind): stack.append(kind)
        case .combine(let count, let kind):
            guard has(count) else { return false }
            stack.removeLast(count)
            stack.append(kind)
        case .gather(let kind):
            guard takeToMark() != nil else { return false }
            stack.append(kind)
        case .change(let count):
            guard has(count + 1) else { return false }
            stack.removeLast(count)
        case .extend: return takeToMark() != nil && has(1)
        case .pop: return stack.popLast() != nil
        case .popMark: return takeToMark() != nil
        case .duplicate:
            guard has(1), let last = stack.last else { return false }
            stack.append(last)
        case .put, .memoize:
            guard has(1), let last = stack.last else { return false }
            let key = if case .memoize = effect { UInt64(memo.count) } else { argument }
            if memo.count < Self.memoLimit { memo[key] = last }
        case .get:
            let isKnown = memo.count < Self.memoLimit
            guard let kind = memo[argument] ?? (isKnown ? nil : .object) else { return false }
            stack.append(kind)
        case .stackGlobal:
            // A value that did not fit into the memo may be a text.
            guard has(2),
                stack.suffix(2).allSatisfy({
                    $0 == .text || $0 == .object && memo.count >= Self.memoLimit
                })
            else { return false }
            stack.removeLast(2)
            takeImport(isPlausible: true)
        case .extensionCode: takeImport(isPlausible: false)
        case .call(let count):
            guard has(count + 1), stack.suffix(count).allSatisfy({ $0 != .scalar }) else {
                return false
            }
            stack.removeLast(count)
            return call()
        case .callAboveMark:
            guard let callee = takeToMark()?.first else { return false }
            stack.append(callee)
            return call()
        case .build:
            guard has(2), let state = stack.popLast() else { return false }
            if stack.last == .object, state != .scalar, trace.mayImport { trace.calls = true }
        case .global, .stop, .nothing: break
        }
        return true
    }

    /// Calls the value on top of the stack.
    private mutating func call() -> Bool {
        guard stack.last == .object else { return false }
        if trace.mayImport { trace.calls = true }
        return true
    }

    // MARK: Imports

    private mutating func takeGlobal(_ module: [UInt8], _ name: [UInt8], calls: Bool) -> Bool {
        guard Self.isPrintable(module), Self.isPrintable(name) else { return false }
        if calls {
            guard takeToMark() != nil else { return false }
        }
        takeImport(isPlausible: Self.isName(module) && Self.isName(name))
        if calls { trace.calls = true }
        return true
    }

    private mutating func takeImport(isPlausible: Bool) {
        trace.mayImport = true
        if isPlausible { trace.imports = true }
        stack.append(.object)
    }

    /// Whether a line can be a name: it has no spaces, unlike a sentence.
    private static func isPrintable(_ line: [UInt8]) -> Bool {
        !line.isEmpty && line.count <= lineLimit && line.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }

    /// Whether a line is a dotted Python identifier.
    private static func isName(_ line: [UInt8]) -> Bool {
        line.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.first, !(0x30...0x39 ~= first) else { return false }
            return part.allSatisfy { byte in
                0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || byte == 0x5F
                    || byte >= 0x80
            }
        }
    }
}
