/// Tells Python pickles from other files, by following their instructions without doing what they say.
///
/// It begins where a program that loads would begin: at the first byte, and again behind every pickle and every NumPy
/// array that ends.
struct PickleScan {
    /// What the pickles of a file do when they are loaded one after the other.
    private(set) var runsCode = false
    /// Whether a name is imported that can be one, and nothing more is known of it.
    private(set) var imports = false
    /// Whether it is a pickle, as far as it goes, that does nothing.
    private(set) var isPlain = false
    /// Whether it begins with NumPy arrays, none of which holds objects.
    private(set) var isArrays = false

    /// Pickles with more instructions in a file are not followed to their end, and are believed to be pickles: 16
    /// million take a second or two.
    private static let instructionLimit = 16 << 20
    /// So many instructions of a pickle that is cut off say that it was to be one.
    private static let enough = 2

    /// Follows what a reader gives.
    init(
        _ reader: inout ByteReader<some ByteFeed>, limit: Int = instructionLimit
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
                // Of a text such as "N.B." only the beginning is a pickle.
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
    /// - Parameter isText: Whether it reads as text. A list of words may happen to name a module; only what calls it
    ///   is a pickle then.
    func isPickle(isText: Bool) -> Bool { runsCode || isPlain || imports && !isText }
}

/// Follows the instructions of one pickle as Python's unpickler would, and does nothing of what they say.
///
/// It keeps the sorts of the values on the stack and in the memo, not the values. Where Python's versions differ, or it
/// depends on the program that loads, it goes on.
struct PickleMachine {
    /// What a value is, as far as it matters.
    enum Kind: UInt8 {
        case mark
        case text
        /// A number, a truth value or nothing.
        case scalar
        /// A tuple, a list, a dictionary, a set or bytes.
        case container
        /// What was imported, or came of a call.
        case object
    }

    /// How a pickle ends.
    enum End {
        /// It is whole: STOP was reached.
        case stopped
        /// The bytes end between two instructions.
        case cut
        /// Python would stop with an error.
        case broken
        /// More instructions than are followed.
        case endless
    }

    /// What was met on the way.
    struct Trace {
        /// Whether a name is imported that can be one.
        var imports = false
        /// Whether anything is imported, also by a name that few modules have or by a registered number.
        var mayImport = false
        /// Whether what was imported is called.
        var calls = false
        /// Whether it says which protocol it has.
        var hasProtocol = false
        /// Whether a frame of a possible size follows that at once, as protocol 4 and later have it: no other file
        /// begins so.
        var hasFrame = false
        /// The number of instructions.
        var instructions = 0
    }

    private(set) var trace = Trace()
    private var stack: [Kind] = []
    private var memo: [UInt64: Kind] = [:]

    /// A longer line is passed over, and what is kept of it is no name and no number.
    private static let lineLimit = 4096
    /// The highest protocol there is.
    private static let newestProtocol = 5
    /// More values are not remembered: what is taken from the memo may be anything then.
    private static let memoLimit = 1 << 18

    /// Follows instructions up to an end, at most `limit` of them.
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
                // Of a long text the end is not kept.
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

    /// Whether so many values lie above the last mark.
    private func has(_ count: Int) -> Bool {
        stack.count >= count && stack.suffix(count).allSatisfy { $0 != .mark }
    }

    /// Takes everything down to the last mark; the values above it, at most three, from the lowest. Nil without a mark.
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
            // What was not remembered may be a text.
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

    /// Calls what lies on top of the stack.
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

    /// Whether a line may be a name at all: sentences have spaces.
    private static func isPrintable(_ line: [UInt8]) -> Bool {
        !line.isEmpty && line.count <= lineLimit && line.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }

    /// Whether a line is a dotted name as Python's programs have them.
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
