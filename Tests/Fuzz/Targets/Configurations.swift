internal import FeaturePipeline
internal import TrainingPipeline

extension FuzzTarget {
    private static let yamlWords = [
        "repo: ", "ref: ", "sources:\n", "  - files: ", "    include: [", "name: ", "exclude: ",
        "attributes: {", "fields: {text: ", "format: html", "from: ", "value: ", "type: date",
        "{path}", "chunk: {size: ", "overlap: ", "embed: {", "dimension: ", "&a ", "*a", "<<: *a",
        "? ",
        "!!int ", "---\n", "...\n", "|-\n", ">\n", "0x7fffffffffffffff", "190:20:30", ".inf",
        "features/staging", "sft:\n", "dpo:\n", "epochs: ", "rate: ", "beta: ", "split: {",
        "heldout: ", "seed: ", "evaluate: {k: ", "candidates: ", "datasets:\n", "model: ",
        "kind: feedback", "leaveOut: [", "feedback: {features: ",
    ]

    /// The configurations of the pipelines: any text is a configuration or an error.
    ///
    /// The first byte of the input selects the reader.
    static let configurations = FuzzTarget(
        "configurations", longestInput: 2048, words: yamlWords
    ) { _ in
        feature.map { [0x66] + Array($0.utf8) } + training.map { [0x74] + Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        guard input.count > 0 else { return }
        let text = String(decoding: Array(input.extracting(1..<input.count)), as: UTF8.self)
        if input[0] == 0x74 {
            do throws(TrainingError) {
                _ = try TrainingConfiguration(yaml: text, path: "fti.yaml")
            } catch { _ = (error.message, error.remedy) }
        } else {
            do throws(FeatureError) {
                _ = try FeatureConfiguration(yaml: text, path: "fti.yaml", folder: ".")
            } catch { _ = (error.message, error.remedy) }
        }
    }

    private static let feature = [
        """
        repo: .fti
        ref: features/staging
        sources:
          - files: ./handbook
            include: ["**/*.md", "**/*.html"]
          - files: /data
            name: x/y
            exclude: [a]
        chunk: {size: 1000, overlap: 100}
        embed: {name: builtin, dimension: 384}
        """,
        """
        sources:
          - files: a
            attributes:
              author: string
              url: https://docs.example.com/{path}
              updated: {type: date, from: [lastmod, file.modified]}
              level: {type: integer, value: "{2}"}
              stars: 3
            fields: {text: page_content, id: _id, link: url}
            format: html
        """, "sources: [{files: a}]", "sources: [{files: a, kind: feedback, leaveOut: [from]}]",
        "sources: &a\n - &b {files: x}\n",
    ]

    private static let training = [
        """
        features: features/prod
        questions: q.jsonl
        model: models/candidate
        candidates: 50
        datasets: {sft: datasets/sft, dpo: datasets/dpo}
        split: {heldout: 0.2, seed: 7}
        sft: {epochs: 10, rate: 0.1, l2: 1e-3}
        dpo: {epochs: 10, rate: 0.1, beta: 0.1, l2: 0, retain: 1}
        evaluate: {k: 10}
        """, "", "sft:\n  epochs: 3\n", "feedback: {features: features/feedback}\n",
    ]
}
