import Artifacts
import Objects
import Testing

@Suite struct RetrievalPolicyTests {
    private func policy() -> RetrievalPolicy {
        var counter = LexicalStatistics.Counter()
        for text in ["frost alarm", "pump and valve", "valve"] {
            counter.add(
                PassageText(
                    FeatureRow(
                        document: "a.md", title: "T", section: "", headings: [], ordinal: 0,
                        text: text)))
        }
        var policy = RetrievalPolicy.base(
            statistics: counter.finish(), space: digest(of: [1]), candidates: 50)
        policy.reference = policy.weights
        policy.weights[2] = 0.25
        policy.scale[3] = 3
        return policy
    }

    @Test("a policy reads back from its files, with and without reference weights")
    func roundTrip() throws {
        var policy = policy()
        let read = try RetrievalPolicy(tensors: policy.tensors, config: policy.config)
        #expect(read == policy)
        #expect(read.tensors == policy.tensors && read.config == policy.config)
        policy.reference = nil
        #expect(try RetrievalPolicy(tensors: policy.tensors, config: policy.config) == policy)
    }

    @Test("the tensor file is a safetensors file with aligned tensors")
    func safetensors() throws {
        let bytes = policy().tensors
        let length = try Safetensors.headerLength(
            prefix: bytes.span.extracting(first: 8), fileSize: bytes.count)
        let file = try Safetensors(
            header: bytes.span.extracting(8..<8 + length), fileSize: bytes.count)
        #expect(
            file.tensors.map(\.name)
                == ["lexical.idf", "policy.reference", "policy.scale", "policy.weights"])
        #expect(file.dataOffset.isMultiple(of: 8))
        #expect(file.tensors.allSatisfy { $0.type == .float32 })
    }

    @Test("the same policy gives the same bytes as ever")
    func golden() {
        #expect(digest(of: policy().tensors).short == "a6e24881565a")
        #expect(
            String(decoding: policy().config, as: UTF8.self).hasPrefix(
                #"{"candidates":50,"features":["cosine","document","text","#))
    }

    @Test("every cut of the files is refused")
    func cuts() {
        let policy = policy()
        let tensors = policy.tensors
        let config = policy.config
        for count in Array(stride(from: 0, to: 700, by: 3)) + [
            tensors.count - 4, tensors.count - 1,
        ] {
            let cut = Array(tensors[..<count])
            #expect(throws: ObjectError.self) { try RetrievalPolicy(tensors: cut, config: config) }
        }
        for count in 0..<config.count {
            let cut = Array(config[..<count])
            #expect(throws: ObjectError.self) { try RetrievalPolicy(tensors: tensors, config: cut) }
        }
    }

    @Test("changed bytes are refused or give a policy of finite numbers")
    func changes() throws {
        let policy = policy()
        var random = SplitMix(seed: 11)
        for _ in 0..<150 {
            var tensors = policy.tensors
            var config = policy.config
            if random.next() % 2 == 0 {
                tensors[Int(random.next() % 600)] ^= UInt8(1 << (random.next() % 8))
            } else {
                config[Int(random.next() % UInt64(config.count))] ^= UInt8(1 << (random.next() % 8))
            }
            if let read = try? RetrievalPolicy(tensors: tensors, config: config) {
                #expect(read.factors.allSatisfy { $0.isFinite })
                #expect(read.statistics.meanWords >= 1)
            }
        }
    }

    @Test("numbers that are not finite are refused")
    func notFinite() {
        var policy = policy()
        policy.weights[0] = .nan
        #expect(throws: ObjectError.self) {
            try RetrievalPolicy(tensors: policy.tensors, config: policy.config)
        }
        policy.weights[0] = .infinity
        #expect(throws: ObjectError.self) {
            try RetrievalPolicy(tensors: policy.tensors, config: policy.config)
        }
    }
}
