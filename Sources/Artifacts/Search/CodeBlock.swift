internal import CKernels
internal import Glibc
internal import Objects

/// The codes of some vectors, and the kernels that read them.
///
/// One thread writes each row once, before any thread reads a row; nothing changes afterwards. Pointers are confined to
/// this file and stay within the allocations made here.
final class CodeBlock: @unchecked Sendable {
    /// The number of vectors.
    let rows: Int
    /// The number of components of a vector.
    let dimension: Int
    /// The distance in bytes between the codes of consecutive rows.
    let stride: Int
    private let codes: UnsafeMutableRawPointer
    private let scales: UnsafeMutablePointer<Float>
    private let residuals: UnsafeMutablePointer<Float>
    private let norms: UnsafeMutablePointer<Float>

    /// Reserves room for `rows` vectors of `dimension` numbers; set each row before reading it.
    init(rows: Int, dimension: Int) {
        self.rows = rows
        self.dimension = dimension
        stride = VectorCodes.stride(dimension)
        codes = .allocate(byteCount: max(64, rows * stride), alignment: 64)
        func column() -> UnsafeMutablePointer<Float> {
            let numbers = UnsafeMutablePointer<Float>.allocate(capacity: max(1, rows))
            numbers.initialize(repeating: 0, count: rows)
            return numbers
        }
        scales = column()
        residuals = column()
        norms = column()
    }

    deinit {
        codes.deallocate()
        scales.deallocate()
        residuals.deallocate()
        norms.deallocate()
    }

    /// Sets rows from their vectors, fp32[count, dimension].
    func set(at row: Int, vectors: RawSpan) {
        let count = dimension == 0 ? 0 : vectors.byteCount / (4 * dimension)
        check(row..<row + count)
        vectors.withUnsafeBytes { vectors in
            guard let vectors = vectors.baseAddress else { return }
            fti_code_vectors(
                vectors, count, dimension, stride, scales + row, residuals + row, norms + row,
                codeAddress(row))
        }
    }

    /// Sets rows from their stored codes (see ``VectorCodes``).
    func set(at row: Int, count: Int, stored: RawSpan) {
        let form = VectorCodes(rows: count, dimension: dimension)
        check(row..<row + count)
        precondition(stored.byteCount == form.byteCount, "the stored codes are complete")
        stored.withUnsafeBytes { stored in
            guard let base = stored.baseAddress else { return }
            memcpy(scales + row, base, 4 * count)
            memcpy(residuals + row, base + form.residualsAt, 4 * count)
            memcpy(norms + row, base + form.normsAt, 4 * count)
            memcpy(codeAddress(row), base + form.codesAt, count * stride)
        }
    }

    /// Sets rows from rows of another block with vectors of the same dimension.
    func set(at row: Int, from other: CodeBlock, _ range: Range<Int>) {
        check(row..<row + range.count)
        other.check(range)
        precondition(other.dimension == dimension, "the vectors have the same dimension")
        let first = range.lowerBound
        memcpy(scales + row, other.scales + first, 4 * range.count)
        memcpy(residuals + row, other.residuals + first, 4 * range.count)
        memcpy(norms + row, other.norms + first, 4 * range.count)
        memcpy(codeAddress(row), other.codeAddress(first), range.count * stride)
    }

    private func check(_ rows: Range<Int>) {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= self.rows, "rows are in the block")
    }

    private func codeAddress(_ row: Int) -> UnsafeMutablePointer<Int8> {
        (codes + row * stride).assumingMemoryBound(to: Int8.self)
    }
}

extension CodeBlock {
    /// The factor that turns a row's codes into an approximation of its vector.
    func scale(_ row: Int) -> Double { Double(column(scales, row)) }
    /// An upper bound on the distance between a row's scaled codes and its vector.
    func residual(_ row: Int) -> Double { Double(column(residuals, row)) }
    /// An upper bound on the length of a row's vector.
    func norm(_ row: Int) -> Double { Double(column(norms, row)) }

    private func column(_ numbers: UnsafeMutablePointer<Float>, _ row: Int) -> Float {
        precondition(row >= 0 && row < rows, "the row is in the block")
        return numbers[row]
    }

    /// Computes the products of rows with a query's codes, which form a block of one row.
    func multiply(_ range: Range<Int>, by query: CodeBlock, into products: inout [Int32]) {
        check(range)
        precondition(query.stride == stride && query.rows == 1, "the codes have the same dimension")
        precondition(products.count >= range.count, "there is room")
        products.withUnsafeMutableBufferPointer { products in
            guard let products = products.baseAddress else { return }
            fti_code_products(
                codeAddress(range.lowerBound), range.count, stride, query.codeAddress(0), products)
        }
    }

    /// Writes the offsets within `range` of rows whose product may exceed `threshold`, and returns their count.
    func select(
        _ range: Range<Int>, _ products: [Int32], bound: ProductBound, above threshold: Double,
        into selected: inout [UInt32]
    ) -> Int {
        check(range)
        precondition(products.count >= range.count, "every row has a product")
        precondition(selected.count >= range.count, "there is room")
        var terms = fti_code_bound(
            scale: bound.scale, norm: bound.norm, residual: bound.residual, rest: bound.rest)
        let row = range.lowerBound
        return products.withUnsafeBufferPointer { products in
            selected.withUnsafeMutableBufferPointer { selected in
                guard let products = products.baseAddress, let selected = selected.baseAddress
                else { return 0 }
                return fti_code_select(
                    products, scales + row, residuals + row, norms + row, range.count, &terms,
                    threshold, selected)
            }
        }
    }

    /// The signs of rows, ``stride`` / 64 words for each row.
    func signs(_ range: Range<Int>) -> [UInt64] {
        check(range)
        let words = range.count * stride / 64
        return [UInt64](unsafeUninitializedCapacity: words) { signs, count in
            if let signs = signs.baseAddress {
                fti_code_signs(codeAddress(range.lowerBound), words, signs)
            }
            count = words
        }
    }
}

/// Kernels on signs; they are in this file because they need pointers.
enum SignKernels {
    /// Computes the sign distance of each row from a query, writes the offsets of rows within `limit`, and returns
    /// their count.
    static func select(
        _ signs: [UInt64], rows: Int, query: [UInt64], limit: Int, distances: inout [UInt32],
        into selected: inout [UInt32]
    ) -> Int {
        precondition(signs.count == rows * query.count, "the signs have the same dimension")
        precondition(distances.count >= rows && selected.count >= rows, "there is room")
        fti_sign_distances(signs, rows, query.count, query, &distances)
        return fti_distance_select(
            distances, rows, UInt32(clamping: limit), &selected)
    }
}
