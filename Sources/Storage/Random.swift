internal import CPosix
internal import Glibc

/// Bytes from the kernel's generator, fit for names that nobody can guess.
public func randomBytes(_ count: Int) throws(StorageError) -> [UInt8] {
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        if fti_random(buffer.baseAddress, count) == 0 {
            filled = count
        } else {
            code = errno
        }
    }
    guard code == 0 else {
        throw .system(operation: "get random bytes from", path: "the kernel", errno: code)
    }
    return bytes
}
