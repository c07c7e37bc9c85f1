/// One thread's part of a search: its rows' codes, group by group, in ascending order.
struct CodeScan {
    private let codes: CodeBlock
    private let query: CodeBlock
    private let bound: ProductBound
    private var products: [Int32] = []
    private var selected: [UInt32] = []
    private var survivors: [ExactSearch.Survivor] = []
    private var bounds: GreatestBounds
    private var limit = 4096

    init(_ codes: CodeBlock, by query: CodeBlock, bound: ProductBound, count: Int) {
        self.codes = codes
        self.query = query
        self.bound = bound
        bounds = GreatestBounds(count: count)
    }

    /// As many of the rows so far as are sought have products that are not below this.
    var least: Double { bounds.least }

    /// Adds rows above all rows so far.
    ///
    /// - Parameter proven: What as many rows as are sought, wherever they are, are known not to be below.
    mutating func add(_ range: Range<Int>, proven: Double) {
        if products.count < range.count {
            products = [Int32](repeating: 0, count: range.count)
            selected = [UInt32](repeating: 0, count: range.count)
        }
        codes.multiply(range, by: query, into: &products)
        // A row that equals what earlier rows prove comes after them; elsewhere there may be later ones.
        let threshold = max(bounds.least, proven.nextDown)
        let kept = codes.select(
            range, products, bound: bound, above: threshold, into: &selected)
        for place in 0..<kept {
            let offset = Int(selected[place])
            add(range.lowerBound + offset, product: products[offset])
        }
        if survivors.count > limit {
            let threshold = max(bounds.least, proven).nextDown
            survivors.removeAll { $0.upper <= threshold }
            limit = max(limit, 2 * survivors.count)
        }
    }

    private mutating func add(_ row: Int, product: Int32) {
        let centre = bound.centre(product, scale: codes.scale(row))
        let radius = bound.radius(norm: codes.norm(row), residual: codes.residual(row))
        let upper = centre + radius
        survivors.append(
            ExactSearch.Survivor(row: row, upper: upper.isNaN ? .infinity : upper))
        bounds.add(centre - radius)
    }

    /// What was found.
    func finish() -> (survivors: [ExactSearch.Survivor], bounds: GreatestBounds) {
        (survivors, bounds)
    }
}
