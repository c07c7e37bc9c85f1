/// How far the inner product of a query and a vector can be from what their codes say.
///
/// With q = s_q c_q + e_q and v = s_v c_v + e_v,
///
///     q.v - s_q s_v (c_q.c_v) = e_q.v + (s_q c_q).e_v,
///
/// and by Cauchy and Schwarz its absolute value is at most |e_q| |v| + |s_q c_q| |e_v|, where
/// |s_q c_q| <= |q| + |e_q|. ``DotProduct`` rounds each product and passes it through at most n/8 + 11 rounded
/// additions, so with u = 2^-24 and m = n/8 + 12 it is within m u / (1 - m u) |q| |v| of q.v, plus 2^-150 for
/// each product that is a denormal number (Higham, "Accuracy and Stability of Numerical Algorithms", 2002,
/// section 3.1). Codes leave out vectors so great that a sum could overflow. The fp64 arithmetic of the bound itself is covered by 2^-48 of what it works on.
struct ProductBound: Hashable, Sendable {
    /// What multiplies a vector's scale and the product of the codes.
    let scale: Double
    /// What multiplies a vector's norm.
    let norm: Double
    /// What multiplies a vector's residual.
    let residual: Double
    /// What is added.
    let rest: Double

    /// The bound for a query that was coded, with these true bounds of its own.
    init(dimension: Int, scale: Double, residual: Double, norm: Double) {
        let steps = Double(dimension / 8 + 12) * 0x1p-24
        let length = norm + residual
        self.scale = scale
        self.norm = residual + steps / (1 - steps) * norm + length * 0x1p-48
        self.residual = length * (1 + 0x1p-48)
        rest = Double(dimension) * 0x1p-149
    }

    /// The codes' product, scaled.
    func centre(_ product: Int32, scale: Double) -> Double {
        Double(product) * (scale * self.scale)
    }

    /// How far the rounded product is from the centre at most.
    func radius(norm: Double, residual: Double) -> Double {
        (norm * self.norm + residual * self.residual) + rest
    }
}
