internal import Glibc

/// Makes a system call until no signal interrupts it, and turns its failure into an error.
///
/// - Parameters:
///   - operation: A verb phrase that completes "cannot".
///   - path: What the call was for.
///   - call: Returns -1 and sets `errno` when it fails.
@discardableResult
func systemCall<Result: FixedWidthInteger & SignedInteger>(
    _ operation: String, _ path: @autoclosure () -> String, _ call: () -> Result
) throws(StorageError) -> Result {
    let (result, code) = interruptible(call)
    guard result >= 0 else {
        throw .system(operation: operation, path: path(), errno: code)
    }
    return result
}

/// Makes a system call until no signal interrupts it: its result, and `errno` when that is negative.
func interruptible<Result: FixedWidthInteger & SignedInteger>(
    _ call: () -> Result
) -> (result: Result, code: Int32) {
    while true {
        let result = call()
        if result >= 0 { return (result, 0) }
        let code = errno
        if code != EINTR { return (result, code) }
    }
}

/// Lends a name to a system call as a C string.
///
/// The name must hold no zero byte: everything after it would be ignored.
func withCString<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    precondition(!name.contains(0), "a file name holds no zero byte")
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: name.count + 1) { buffer in
        for (index, byte) in name.enumerated() {
            buffer.initializeElement(at: index, to: CChar(bitPattern: byte))
        }
        buffer.initializeElement(at: name.count, to: 0)
        // The buffer holds at least the terminator, so it has an address.
        guard let address = buffer.baseAddress else { preconditionFailure("an empty C string") }
        return body(address)
    }
}
