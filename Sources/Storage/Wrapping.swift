/// Runs code of a lower layer, and wraps its error in an error of the caller's layer.
///
/// - Parameter wrap: Makes the caller's error, such as `RefError.objects`.
/// - Throws: The error of `body`, wrapped.
public func wrapping<Cause: Error, Wrapped: Error, Value>(
    as wrap: (Cause) -> Wrapped, _ body: () throws(Cause) -> Value
) throws(Wrapped) -> Value {
    do throws(Cause) { return try body() } catch { throw wrap(error) }
}

/// Evaluates an expression of a lower layer, and wraps its error in an error of the caller's layer.
///
/// - Parameters:
///   - value: An expression that throws errors of the lower layer; it needs no `try` of its own.
///   - wrap: Makes the caller's error, such as `RefError.objects`.
/// - Throws: The error of `value`, wrapped.
public func wrapping<Cause: Error, Wrapped: Error, Value>(
    _ value: @autoclosure () throws(Cause) -> Value, as wrap: (Cause) -> Wrapped
) throws(Wrapped) -> Value {
    try wrapping(as: wrap, value)
}
