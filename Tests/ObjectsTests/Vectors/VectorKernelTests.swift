import CKernels
import TestSupport
import Testing

@Suite("Kernels of vectors")
struct VectorKernelTests {
    private var generator = SeededGenerator(seed: 17)

    @Test(
        "products of codes are exact, on every path",
        arguments: [(0, 64), (1, 64), (3, 128), (4, 384), (9, 1024), (5, 65536)])
    mutating func products(rows: Int, stride: Int) {
        func check(_ codes: [Int8], _ query: [Int8]) {
            let expected = (0..<rows).map { row in
                Int32(
                    (0..<stride).reduce(0) { $0 + Int(codes[row * stride + $1]) * Int(query[$1]) })
            }
            var products = [Int32](repeating: -1, count: rows)
            fti_code_products(codes, rows, stride, query, &products)
            #expect(products == expected)
            var portable = [Int32](repeating: -1, count: rows)
            fti_code_products_portable(codes, rows, stride, query, &portable)
            #expect(portable == expected)
        }
        // Two of the greatest products overflow 16 bits when they are added. Stored codes may come from elsewhere, so
        // they include -128.
        for code: Int8 in [-128, -127, 127] {
            for query: Int8 in [-127, 127] {
                check(
                    [Int8](repeating: code, count: rows * stride),
                    [Int8](repeating: query, count: stride))
            }
        }
        check(
            (0..<rows * stride).map { _ in .random(in: -128...127, using: &generator) },
            (0..<stride).map { _ in .random(in: -127...127, using: &generator) })
    }

    @Test("every code path selects the same rows, never below the bound")
    mutating func selection() {
        let rows = 1000
        let products = (0..<rows).map { _ in Int32.random(in: -90000...90000, using: &generator) }
        func column(_ scale: Float) -> [Float] {
            (0..<rows).map { _ in Float.random(in: 0...1, using: &generator) * scale }
        }
        var scales = column(0.01)
        var residuals = column(0.1)
        var norms = column(1.5)
        residuals[7] = .infinity
        norms[7] = .infinity
        scales[9] = .nan
        for (norm, threshold) in [
            (0.01, 500.0), (0, 500), (0.01, -.infinity), (0.01, .infinity), (.nan, 1),
        ] {
            var bound = fti_code_bound(scale: 0.5, norm: norm, residual: 1.01, rest: 0.001)
            var selected = [UInt32](repeating: 0, count: rows)
            let count = fti_code_select(
                products, scales, residuals, norms, rows, &bound, threshold, &selected)
            var portable = [UInt32](repeating: 0, count: rows)
            let portableCount = fti_code_select_portable(
                products, scales, residuals, norms, rows, &bound, threshold, &portable)
            let expected = (0..<rows).filter { row in
                let centre = Double(products[row]) * (Double(scales[row]) * 0.5)
                let radius =
                    (Double(norms[row]) * norm + Double(residuals[row]) * 1.01) + 0.001
                return !(centre + radius <= threshold)
            }
            #expect(selected[..<count].map { Int($0) } == expected)
            #expect(portable[..<portableCount].map { Int($0) } == expected)
        }
    }

    @Test("a filter selects every term of its set, few others, and the same on every path")
    mutating func terms() {
        for count in [0, 1, 8, 40] {
            let set = (0..<count).map { _ in UInt32.random(in: 0...(.max), using: &generator) }
            var filter = fti_term_filter()
            for term in set { fti_term_filter_add(&filter, term) }
            for length in [0, 1, 7, 8, 9, 1000] {
                var terms = (0..<length).map { _ in
                    UInt32.random(in: 0...(.max), using: &generator)
                }
                for (place, term) in set.enumerated() where 3 * place < length {
                    terms[3 * place] = term
                }
                var selected = [UInt32](repeating: .max, count: length)
                let found = fti_term_filter_select(&filter, terms, length, &selected)
                var portable = selected
                let portableFound = fti_term_filter_select_portable(
                    &filter, terms, length, &portable)
                #expect(selected[..<found] == portable[..<portableFound])
                #expect(selected[..<found].elementsEqual(Set(selected[..<found]).sorted()))
                let kept = Set(selected[..<found].map { terms[Int($0)] })
                #expect(kept.isSuperset(of: Set(set).intersection(terms)))
                #expect(kept.subtracting(set).count <= length / 10)
            }
        }
    }

    @Test(
        "inner products of fp32 numbers have the same bits on every path",
        arguments: [0, 1, 7, 8, 9, 16, 31, 384, 1003])
    mutating func dot(count: Int) {
        for scale: Float in [1, 0x1p-70, 0x1p60] {
            let left = (0..<count).map { _ in Float.random(in: -1...1, using: &generator) * scale }
            let right = (0..<count).map { _ in Float.random(in: -1...1, using: &generator) * scale }
            let one = fti_dot(left, right, count)
            #expect(one.bitPattern == fti_dot_portable(left, right, count).bitPattern)
            let exact = zip(left, right).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let size = zip(left, right).reduce(0.0) { $0 + abs(Double($1.0) * Double($1.1)) }
            #expect(abs(Double(one) - exact) <= size * 1e-5 + Double(count) * 0x1p-149)
        }
    }

    @Test("signs and their distances", arguments: [1, 2, 6, 8, 13, 16])
    mutating func signs(words: Int) {
        let rows = 33
        let codes = (0..<rows * words * 64).map { _ in
            Int8.random(in: -128...127, using: &generator)
        }
        var signs = [UInt64](repeating: 0, count: rows * words)
        fti_code_signs(codes, rows * words, &signs)
        for (place, code) in codes.enumerated() {
            #expect((signs[place / 64] >> UInt64(place % 64) & 1 == 1) == (code < 0))
        }
        let query = (0..<words).map { _ in generator.next() }
        let expected = (0..<rows).map { row in
            UInt32(
                (0..<words).reduce(0) {
                    $0 + (signs[row * words + $1] ^ query[$1]).nonzeroBitCount
                })
        }
        var distances = [UInt32](repeating: 0, count: rows)
        fti_sign_distances(signs, rows, words, query, &distances)
        #expect(distances == expected)
        fti_sign_distances_portable(signs, rows, words, query, &distances)
        #expect(distances == expected)
        for limit in [0, expected[3], expected[20], .max] {
            var selected = [UInt32](repeating: 0, count: rows)
            let count = fti_distance_select(distances, rows, limit, &selected)
            #expect(
                selected[..<count].map { Int($0) } == (0..<rows).filter { expected[$0] <= limit })
        }
    }
}
