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
