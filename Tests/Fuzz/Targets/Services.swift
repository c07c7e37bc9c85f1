@testable internal import Artifacts
@testable internal import ModelServices

extension FuzzTarget {
    private static let exchange = EmbeddingExchange(
        model: ServiceModel("tiny", dimension: 4), texts: ["a", "b", "c"], role: .document)

    private static let redaction = Redaction(address, ServiceKey("hush-hush"))
    private static let address: ServiceAddress = {
        guard let address = try? ServiceAddress("http://ada:pa%2Dss@host/v1?key=hush-hush") else {
            preconditionFailure("the address of the fuzz target is valid")
        }
        return address
    }()

    /// Replies and addresses of embedding services. The first byte of the input selects one.
    ///
    /// A reply gives each text a vector of the model's dimension and of length 1, or is refused. A printed address
    /// holds no password.
    static let replies = FuzzTarget(
        "replies", longestInput: 2048,
        words: [
            "\"data\":[", "{\"index\":0,\"embedding\":[", "1e-200", "1e200", "5e-324", "null",
            "\"error\":{\"message\":\"", "\"detail\":\"", "http://", "https://", "@", "[::1]",
            ":8080", "?key=", "\\u001b[2J", "\\u0085", "\\u202e", "ada:pa%2Dss", "pa-ss",
            "hush-hush", "key=hush-",
        ]
    ) { _ in
        [
            "a{\"data\":[{\"index\":2,\"embedding\":[1,2,3,4]},{\"index\":0,\"embedding\":[0,0,0,1]},"
                + "{\"embedding\":[0.5,-1e-3,2,0],\"index\":1}]}",
            "a{\"error\":{\"message\":\"no such model\"}}", "a{\"detail\":\"x\\ny\"}",
            "bhttp://ada:pass@127.0.0.1:8080/v1?key=secret", "bhttps://[::1]/embeddings",
            "bHTTPS://host.example/v1/",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        guard input.count > 1 else { return }
        let bytes = Array(input.extracting(1..<input.count))
        guard input[0] & 1 == 1 else { return try checkAddress(bytes) }
        let said = ServiceExplanation(bytes).shown(hiding: redaction)
        try FuzzFinding.unless(
            said.unicodeScalars.count <= 200
                && said.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F },
            "an explanation is not one plain line")
        try FuzzFinding.unless(
            !["pa-ss", "hush-hush", "YWRhOnBhLXNz"].contains { said.contains($0) },
            "an explanation shows a secret")
        guard let vectors = try? exchange.vectors(in: bytes) else { return }
        try FuzzFinding.unless(vectors.count == 3, "a text has no vector")
        for vector in vectors {
            let length = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            try FuzzFinding.unless(
                vector.count == 4 && abs(length - 1) < 1e-5, "a vector has length \(length)")
        }
    }

    private static func checkAddress(_ bytes: [UInt8]) throws(FuzzFinding) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let address = try? ServiceAddress(text) else { return }
        let shown = Array(address.description.utf8)
        try FuzzFinding.unless(
            shown.starts(with: "http".utf8) && shown.suffix(11).elementsEqual("/embeddings".utf8)
                && !shown.contains(0x3F) && shown.allSatisfy { 0x21...0x7E ~= $0 },
            "an address is shown as \(address)")
        guard let again = try? ServiceAddress(address.description) else {
            throw FuzzFinding("a printed address is not an address")
        }
        try FuzzFinding.unless(
            again.full.utf8.elementsEqual(shown), "a printed address is another address")
    }

    /// Embedding spaces: an accepted one encodes to the same bytes, and has canaries of its dimension.
    static let spaces = FuzzTarget(
        "spaces",
        words: [
            "\"type\":\"space\"", "\"embedder\":{\"name\":\"api\"", "\"version\":\"",
            "\"canaries\":[", "{\"text\":\"", "\"vector\":[", "\"dimension\":", "\"tolerance\":",
            "\"elementType\":\"fp32\"", FuzzKeys.digits,
        ]
    ) { _ in
        let vectors = ServiceModel.canaryTexts.map { _ in [Float(0.5), 0.5, -0.5, 0.5] }
        return [ServiceModel("tiny", dimension: 4).space(canaries: vectors).encoded]
    } run: { input throws(FuzzFinding) in
        let bytes = Array(input)
        guard let space = try? EmbeddingSpace(decoding: bytes) else { return }
        try FuzzFinding.unless(space.encoded == bytes, "a space has two encodings")
        try FuzzFinding.unless(
            space.canaries.count == EmbeddingSpace.canaryCount
                && space.canaries.allSatisfy { $0.vector.count == space.dimension },
            "a canary has another dimension")
        try FuzzFinding.unless(
            space.declaredDifferences(from: space).isEmpty, "a space differs from itself")
        if let model = ServiceModel(of: space) { _ = model.space(canaries: []) }
    }
}
