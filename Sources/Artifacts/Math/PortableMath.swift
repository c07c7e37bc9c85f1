/// Elementary functions that give the same bits on every machine.
///
/// Math libraries differ in the last bit, and one bit changes the identity of a trained model. These functions use only
/// IEEE 754 addition, subtraction, multiplication and division, which are correctly rounded everywhere; Swift fuses
/// none of them. `exp` and `log` use the algorithms and constants of fdlibm (Sun Microsystems, 1993; `e_exp.c`,
/// `e_log.c`), whose errors stay below 1 unit in the last place.
public enum PortableMath {
    private static let ln2High = 6.93147180369123816490e-01
    private static let ln2Low = 1.90821492927058770002e-10
    private static let inverseLn2 = 1.44269504088896338700

    /// e raised to `x`; infinity above 709.78, 0 below -745.13.
    public static func exp(_ x: Double) -> Double {
        if x.isNaN { return x }
        if x > 709.782712893383973096 { return .infinity }
        if x < -745.13321910194110842 { return 0 }
        let k = (x * inverseLn2).rounded(.toNearestOrEven)
        let high = x - k * ln2High
        let low = k * ln2Low
        let r = high - low
        let t = r * r
        var p = 4.13813679705723846039e-08
        p = p * t + -1.65339022054652515390e-06
        p = p * t + 6.61375632143793436117e-05
        p = p * t + -2.77777777770155933842e-03
        p = p * t + 1.66666666666666019037e-01
        let c = r - t * p
        let y = 1 - ((low - (r * c) / (2 - c)) - high)
        return scale(y, by: Int(k))
    }

    /// The natural logarithm of `x`; minus infinity at 0, NaN below 0.
    public static func log(_ x: Double) -> Double {
        if x.isNaN || x < 0 { return .nan }
        if x == 0 { return -.infinity }
        if x == .infinity { return x }
        var exponent = Int(x.exponent)
        var significand = x.significand
        if significand > 1.41421356237309504880 {
            significand /= 2
            exponent += 1
        }
        let f = significand - 1
        let k = Double(exponent)
        let s = f / (2 + f)
        let z = s * s
        let w = z * z
        var even = 1.531383769920937332e-01
        even = even * w + 2.222219843214978396e-01
        even = even * w + 3.999999999940941908e-01
        even *= w
        var odd = 1.479819860511658591e-01
        odd = odd * w + 1.818357216161805012e-01
        odd = odd * w + 2.857142874366239149e-01
        odd = odd * w + 6.666666666666735130e-01
        odd *= z
        let r = even + odd
        let half = 0.5 * f * f
        return k * ln2High - ((half - (s * (half + r) + k * ln2Low)) - f)
    }

    /// The logistic function 1 / (1 + e^-x), without overflow.
    public static func sigmoid(_ x: Double) -> Double {
        if x >= 0 { return 1 / (1 + exp(-x)) }
        let e = exp(x)
        return e / (1 + e)
    }

    /// -log(sigmoid(x)), without overflow or loss of small values.
    public static func negativeLogSigmoid(_ x: Double) -> Double {
        let e = exp(-x.magnitude)
        // log(1 + e) loses a tiny e; its series does not.
        let tail = e < 1e-5 ? e - e * e / 2 : log(1 + e)
        return x >= 0 ? tail : tail - x
    }

    /// Multiplies by a power of two in steps, so that no intermediate result leaves the range early.
    private static func scale(_ y: Double, by exponent: Int) -> Double {
        if exponent > 1023 { return y * 0x1p1023 * power(exponent - 1023) }
        if exponent < -1022 { return y * power(exponent + 1000) * 0x1p-1000 }
        return y * power(exponent)
    }

    private static func power(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: exponent, significand: 1)
    }
}
