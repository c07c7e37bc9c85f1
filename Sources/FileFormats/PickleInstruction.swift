internal import Objects

/// An instruction (opcode) of Python's pickles, protocols 0 to 5, as listed by `pickletools` in the standard library.
struct PickleInstruction {
    /// The argument after the byte of the instruction.
    enum Argument {
        case bytes(Int)
        /// Text up to a line feed.
        case line
        /// A little-endian length of that many bytes, then the bytes.
        case counted(Int)
    }

    /// The effect on the stack of the unpickler, as far as it matters here.
    enum Effect {
        case push(PickleMachine.Kind)
        /// Pops that many values and pushes one.
        case combine(Int, PickleMachine.Kind)
        /// Pops everything down to the last mark and pushes one value.
        case gather(PickleMachine.Kind)
        /// Pops that many values and changes the one below.
        case change(Int)
        /// Pops everything down to the last mark and changes the value below.
        case extend
        case pop, popMark, duplicate, stop, nothing
        case put, memoize, get
        /// Imports a name on two lines; with `calls`, calls it with the values above the last mark.
        case global(calls: Bool)
        /// Imports a name given by two texts on the stack.
        case stackGlobal
        /// Imports a name that the loading program registered under a number.
        case extensionCode
        /// Calls the value below that many values.
        case call(Int)
        /// Calls the value right above the last mark.
        case callAboveMark
        /// Sets the state of an object, which may call its code.
        case build
    }

    let argument: Argument
    let effect: Effect

    /// The instruction of a byte; nil if there is none.
    init?(_ byte: UInt8) {
        switch byte {
        case 0x28: self.init(.bytes(0), .push(.mark))
        case 0x29, 0x5D, 0x7D, 0x8F, 0x97: self.init(.bytes(0), .push(.container))
        case 0x4E, 0x88, 0x89: self.init(.bytes(0), .push(.scalar))
        case 0x4B: self.init(.bytes(1), .push(.scalar))
        case 0x4D: self.init(.bytes(2), .push(.scalar))
        case 0x4A: self.init(.bytes(4), .push(.scalar))
        case 0x47: self.init(.bytes(8), .push(.scalar))
        case 0x46, 0x49, 0x4C: self.init(.line, .push(.scalar))
        case 0x8A: self.init(.counted(1), .push(.scalar))
        case 0x8B: self.init(.counted(4), .push(.scalar))
        case 0x53, 0x56: self.init(.line, .push(.text))
        case 0x55, 0x8C: self.init(.counted(1), .push(.text))
        case 0x54, 0x58: self.init(.counted(4), .push(.text))
        case 0x8D: self.init(.counted(8), .push(.text))
        case 0x43: self.init(.counted(1), .push(.container))
        case 0x42: self.init(.counted(4), .push(.container))
        case 0x8E, 0x96: self.init(.counted(8), .push(.container))
        case 0x50: self.init(.line, .push(.object))
        case 0x51: self.init(.bytes(0), .combine(1, .object))
        case 0x85: self.init(.bytes(0), .combine(1, .container))
        case 0x86: self.init(.bytes(0), .combine(2, .container))
        case 0x87: self.init(.bytes(0), .combine(3, .container))
        case 0x64, 0x6C, 0x74, 0x91: self.init(.bytes(0), .gather(.container))
        case 0x61: self.init(.bytes(0), .change(1))
        case 0x73: self.init(.bytes(0), .change(2))
        case 0x98: self.init(.bytes(0), .change(0))
        case 0x65, 0x75, 0x90: self.init(.bytes(0), .extend)
        case 0x30: self.init(.bytes(0), .pop)
        case 0x31: self.init(.bytes(0), .popMark)
        case 0x32: self.init(.bytes(0), .duplicate)
        case 0x2E: self.init(.bytes(0), .stop)
        case 0x95: self.init(.bytes(8), .nothing)
        case 0x80: self.init(.bytes(1), .nothing)
        case 0x67: self.init(.line, .get)
        case 0x68: self.init(.bytes(1), .get)
        case 0x6A: self.init(.bytes(4), .get)
        case 0x70: self.init(.line, .put)
        case 0x71: self.init(.bytes(1), .put)
        case 0x72: self.init(.bytes(4), .put)
        case 0x94: self.init(.bytes(0), .memoize)
        case 0x63: self.init(.line, .global(calls: false))
        case 0x69: self.init(.line, .global(calls: true))
        case 0x93: self.init(.bytes(0), .stackGlobal)
        case 0x82: self.init(.bytes(1), .extensionCode)
        case 0x83: self.init(.bytes(2), .extensionCode)
        case 0x84: self.init(.bytes(4), .extensionCode)
        case 0x52, 0x81: self.init(.bytes(0), .call(1))
        case 0x92: self.init(.bytes(0), .call(2))
        case 0x6F: self.init(.bytes(0), .callAboveMark)
        case 0x62: self.init(.bytes(0), .build)
        default: return nil
        }
    }

    private init(_ argument: Argument, _ effect: Effect) {
        self.argument = argument
        self.effect = effect
    }

    /// Whether a line is a valid argument; Python fails if it is not.
    static func accepts(_ line: ArraySlice<UInt8>, after byte: UInt8) -> Bool {
        switch byte {
        case 0x53:
            guard line.count >= 2, let first = line.first else { return false }
            return first == line.last && (first == 0x27 || first == 0x22)
        case 0x49: return isWhole(line)
        case 0x4C: return isWhole(line.last == 0x4C ? line.dropLast() : line)
        case 0x67, 0x70: return isWhole(line)
        case 0x46:
            let text = trimmed(line)
            return !text.isEmpty
                && text.allSatisfy { "+-.0123456789eEinfatyINFATY".utf8.contains($0) }
        default: return true
        }
    }

    /// Whether Python may parse a line as an integer, with or without the prefix of a base, such as `0x`.
    private static func isWhole(_ line: ArraySlice<UInt8>) -> Bool {
        var text = trimmed(line)
        if let sign = text.first, sign == 0x2B || sign == 0x2D { text = text.dropFirst() }
        let digits = text.drop { $0 == 0x30 }
        let isHexadecimal = digits.count < text.count && (digits.first.map { $0 | 0x20 } == 0x78)
        if let letter = digits.first.map({ $0 | 0x20 }), digits.count < text.count,
            letter == 0x78 || letter == 0x6F || letter == 0x62
        {
            text = digits.dropFirst()
        }
        return !text.isEmpty
            && text.allSatisfy { byte in
                0x30...0x39 ~= byte || byte == 0x5F
                    || isHexadecimal && 0x61...0x66 ~= byte | 0x20
            }
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0D ~= byte }
        var line = line.drop(while: isSpace)
        while let last = line.last, isSpace(last) { line = line.dropLast() }
        return line
    }
}
