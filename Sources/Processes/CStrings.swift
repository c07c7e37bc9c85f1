internal import Glibc

/// Calls `body` with texts as C needs them for the arguments or the environment of a program: an array that ends with a
/// null pointer, valid during the call. A NUL ends a text.
func withCStrings<Result>(
    _ texts: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
        capacity: texts.count + 1)
    for (index, text) in texts.enumerated() {
        (pointers + index).initialize(to: strdup(text))
    }
    (pointers + texts.count).initialize(to: nil)
    defer {
        for index in texts.indices { free(pointers[index]) }
        pointers.deallocate()
    }
    return body(pointers)
}
