import Foundation

/// The arithmetic of BERT in double precision, written from the paper for clarity alone.
struct ReferenceBert {
    typealias Matrix = [[Double]]

    private let tensors: [String: (shape: [Int], numbers: [Double])]
    private let prefix: String

    init(_ tensors: [(String, [Int], [Float])], prefix: String = "") {
        self.tensors = Dictionary(
            uniqueKeysWithValues: tensors.map { ($0.0, ($0.1, $0.2.map { Double($0) })) })
        self.prefix = prefix
    }

    private func vector(_ name: String) -> [Double] { tensors[name]?.numbers ?? [] }

    private func matrix(_ name: String) -> Matrix {
        guard let tensor = tensors[name] else { return [] }
        let width = tensor.shape[1]
        return (0..<tensor.shape[0]).map { Array(tensor.numbers[$0 * width..<($0 + 1) * width]) }
    }

    func dense(_ rows: Matrix, _ name: String) -> Matrix {
        let (weights, bias) = (matrix("\(name).weight"), vector("\(name).bias"))
        return rows.map { row in
            zip(weights, bias).map { weight, bias in
                zip(weight, row).reduce(bias) { $0 + $1.0 * $1.1 }
            }
        }
    }

    private func normalized(_ rows: Matrix, _ name: String) -> Matrix {
        let (scale, shift) = (vector("\(name).weight"), vector("\(name).bias"))
        return rows.map { row in
            let mean = row.reduce(0, +) / Double(row.count)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
            return row.indices.map {
                (row[$0] - mean) / (variance + 1e-12).squareRoot() * scale[$0] + shift[$0]
            }
        }
    }

    private func added(_ a: Matrix, _ b: Matrix) -> Matrix {
        zip(a, b).map { zip($0, $1).map(+) }
    }

    private func attended(_ q: Matrix, _ k: Matrix, _ v: Matrix, heads: Int) -> Matrix {
        let width = q[0].count / heads
        return q.indices.map { i in
            (0..<heads).flatMap { head in
                let columns = head * width..<(head + 1) * width
                let scores = k.map { key in
                    columns.reduce(0) { $0 + q[i][$1] * key[$1] } / Double(width).squareRoot()
                }
                let weights = scores.map { exp($0 - (scores.max() ?? 0)) }
                let sum = weights.reduce(0, +)
                return columns.map { column in
                    zip(weights, v).reduce(0) { $0 + $1.0 / sum * $1.1[column] }
                }
            }
        }
    }

    /// The vectors of the tokens of one text.
    func vectors(_ ids: [Int], types: [Int]? = nil, layers: Int, heads: Int) -> Matrix {
        let name = "\(prefix)embeddings."
        let words = matrix("\(name)word_embeddings.weight")
        let places = matrix("\(name)position_embeddings.weight")
        let kinds = matrix("\(name)token_type_embeddings.weight")
        var rows = ids.enumerated().map { place, id in
            zip(zip(words[id], places[place]), kinds[types?[place] ?? 0]).map { $0.0 + $0.1 + $1 }
        }
        rows = normalized(rows, "\(name)LayerNorm")
        for layer in 0..<layers {
            let name = "\(prefix)encoder.layer.\(layer)."
            let context = attended(
                dense(rows, "\(name)attention.self.query"),
                dense(rows, "\(name)attention.self.key"),
                dense(rows, "\(name)attention.self.value"), heads: heads)
            rows = normalized(
                added(rows, dense(context, "\(name)attention.output.dense")),
                "\(name)attention.output.LayerNorm")
            let inner = dense(rows, "\(name)intermediate.dense").map { row in
                row.map { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }
            }
            rows = normalized(
                added(rows, dense(inner, "\(name)output.dense")), "\(name)output.LayerNorm")
        }
        return rows
    }
}
