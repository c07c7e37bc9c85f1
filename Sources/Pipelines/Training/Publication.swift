internal import Artifacts
internal import Objects
internal import Refs
internal import Storage

/// The publish stage: it publishes two datasets and a model in one transaction.
///
/// A version equal to the one that its ref points at is not stored again, so a repeated run publishes nothing.
struct Publication {
    let transaction: Transaction
    let configuration: TrainingConfiguration
    let producer: Snapshot.Producer
    let created: Timestamp

    func publish(_ outcome: TrainingOutcome) throws(TrainingError) -> PublishedVersions {
        let supervisedName = try name(configuration.supervisedDataset)
        let preferenceName = try name(configuration.preferenceDataset)
        let modelName = try name(configuration.model)
        let files = try wrapping(DatasetFiles.make(from: outcome), as: TrainingError.objects)
        let features = ["features": outcome.features.snapshot]
        var parameters = JSONObject()
        parameters["split"] = configuration.parameters["split"]
        parameters["source"] = configuration.parameters["questions"]
        let supervised = try snapshot(
            .dataset, supervisedName, files.supervised, inputs: features, params: parameters,
            metrics: metrics(outcome.set.questionCounts), message: outcome.supervisedMessage)
        parameters["source"] = configuration.parameters["preferences"]
        let preference = try snapshot(
            .dataset, preferenceName, files.preference, inputs: features, params: parameters,
            metrics: metrics(outcome.set.preferenceCounts), message: outcome.preferenceMessage)
        let model = try snapshot(
            .model, modelName,
            [
                .init(name: Ranker.tensorsName, bytes: outcome.ranker.tensors),
                .init(name: Ranker.configName, bytes: outcome.ranker.config),
            ],
            inputs: [
                "dataset": supervised.id, "features": outcome.features.snapshot,
                "preferences": preference.id,
            ],
            params: configuration.parameters, metrics: metrics(outcome),
            space: outcome.features.space.id, message: outcome.modelMessage)
        let commit = try wrapping(as: TrainingError.refs) { () throws(RefError) in
            try transaction.publish(
                [supervised, preference, model],
                message: "train \(modelName) on \(configuration.features)")
        }
        return PublishedVersions(
            commit: commit, supervised: supervised.id, preference: preference.id, model: model.id)
    }

    private func metrics(_ counts: TrainingReport.Counts) -> [String: Double] {
        [
            "train": Double(counts.training), "heldout": Double(counts.heldOut),
            "unresolved": Double(counts.unresolved),
        ]
    }

    private func name(_ text: String) throws(TrainingError) -> RefName {
        try wrapping(RefName(text), as: TrainingError.refs)
    }

    /// The figures on held-out questions.
    ///
    /// Figures on people's questions use the names that gates expect; figures on generated questions use other names,
    /// because they do not predict quality in use. Empty without held-out questions.
    private func metrics(_ outcome: TrainingOutcome) -> [String: Double] {
        var metrics: [String: Double] = [:]
        guard outcome.set.questions.contains(where: \.isHeldOut) else { return metrics }
        let origin = outcome.isGenerated ? "generated." : ""
        for stage in outcome.measurements {
            add(stage.measurement, prefix: "\(origin)\(stage.name).", to: &metrics)
        }
        for (name, share) in [
            ("answerable", outcome.declined.answerable),
            ("unanswerable", outcome.declined.unanswerable),
        ] where share.all > 0 {
            metrics["\(origin)declined.\(name)"] = Double(share.declined) / Double(share.all)
        }
        if let published = outcome.published {
            add(published.measurement, prefix: origin, to: &metrics)
        }
        return metrics
    }

    private func add(
        _ measurement: Measurement, prefix: String, to metrics: inout [String: Double]
    ) {
        metrics["\(prefix)recall@1"] = measurement.recallAt1.value
        metrics["\(prefix)recall@\(configuration.recallDepth)"] = measurement.recallAtK.value
        metrics["\(prefix)mrr"] = measurement.meanReciprocalRank.value
        if let accuracy = measurement.preferenceAccuracy {
            metrics["\(prefix)preference.accuracy"] = accuracy
        }
    }

    private func snapshot(
        _ kind: Snapshot.Kind, _ name: RefName, _ files: [DatasetFiles.File],
        inputs: [String: ObjectID], params: JSONObject, metrics: [String: Double],
        space: ObjectID? = nil, message: String
    ) throws(TrainingError) -> StoredVersion {
        let content = try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            var builder = TreeBuilder()
            for file in files {
                let isTensors = file.name.utf8.elementsEqual(Ranker.tensorsName.utf8)
                let id = try transaction.objects.write(
                    file.bytes, hint: isTensors ? .numbers : .bulk)
                builder.add(try Self.path(file.name), size: file.bytes.count, id: id)
            }
            return try builder.write(into: transaction.objects).content
        }
        let snapshot = Snapshot(
            kind: kind, content: content, inputs: inputs, producer: producer, params: params,
            metrics: metrics, space: space, created: created, message: message)
        return try wrapping(
            transaction.store(NextVersion(of: name, snapshot)), as: TrainingError.refs)
    }

    private static func path(_ name: String) throws(ObjectError) -> RelativePath {
        do {
            return try RelativePath(name)
        } catch {
            throw .invalid(what: name, reason: "it is not a file name")
        }
    }
}

/// The published versions.
struct PublishedVersions {
    let commit: Commit
    let supervised: ObjectID
    let preference: ObjectID
    let model: ObjectID
}

/// The files of both datasets: chat and preference examples in the format of TRL and OpenAI's fine-tuning API, with the
/// rows that each example came from.
///
/// The `datasets` library assigns every file whose name contains a split's name to that split, and rejects a split
/// whose files have different columns. The labels of all splits are therefore in one file with a neutral name, a
/// split without examples has no file, and `README.md` lists the splits.
struct DatasetFiles {
    struct File {
        let name: String
        let bytes: [UInt8]
    }

    let supervised: [File]
    let preference: [File]

    /// Makes the files of both datasets from the results of training.
    static func make(from outcome: TrainingOutcome) throws(ObjectError) -> DatasetFiles {
        let texts = try quotedTexts(outcome)
        let keys = outcome.features.keys.all
        var files = SplitFiles()
        for (question, answer) in zip(outcome.set.questions, outcome.answers) {
            let example: JSON = [
                "messages": [
                    message("user", question.question),
                    message("assistant", texts[answer] ?? ""),
                ]
            ]
            let label: JSON = [
                "id": .string(question.id), "question": .string(question.question),
                "rows": .array(question.rows.map { .string(keys[$0]) }),
            ]
            files.append(example, label, isHeldOut: question.isHeldOut)
        }
        let supervised = files.files(
            title: "Questions and answers for supervised fine-tuning, made by fti-training.")

        files = SplitFiles()
        for preference in outcome.set.preferences {
            let example: JSON = [
                "prompt": [message("user", preference.question)],
                "chosen": [message("assistant", texts[preference.chosen[0]] ?? "")],
                "rejected": [message("assistant", texts[preference.rejected[0]] ?? "")],
            ]
            let label: JSON = [
                "id": .string(preference.id), "question": .string(preference.question),
                "chosen": .array(preference.chosen.map { .string(keys[$0]) }),
                "rejected": .array(preference.rejected.map { .string(keys[$0]) }),
            ]
            files.append(example, label, isHeldOut: preference.isHeldOut)
        }
        let preference = files.files(
            title: "Pairs of answers for preference training, made by fti-training.")
        return DatasetFiles(supervised: supervised, preference: preference)
    }

    private static func message(_ role: String, _ content: String) -> JSON {
        ["role": .string(role), "content": .string(content)]
    }

    /// The texts of the rows that examples quote, by row.
    private static func quotedTexts(
        _ outcome: TrainingOutcome
    ) throws(ObjectError) -> [Int: String] {
        let quoted = outcome.set.preferences.flatMap { [$0.chosen[0], $0.rejected[0]] }
        let rows = Set(outcome.answers + quoted).sorted()
        let found = try outcome.features.index.rows(at: rows, in: outcome.features.source)
        return Dictionary(uniqueKeysWithValues: zip(rows, found.map(\.text)))
    }
}

/// Examples by split, with the labels that they came from.
struct SplitFiles {
    // The names of the splits follow the conventions of the `datasets` library.
    private var train = Split(name: "train", fileName: "train.jsonl")
    private var heldOut = Split(name: "test", fileName: "heldout.jsonl")
    private var labels: [UInt8] = []

    private struct Split {
        let name: String
        let fileName: String
        var examples: [UInt8] = []
        var count = 0

        mutating func append(_ example: JSON, _ label: JSON, labels: inout [UInt8]) {
            example.appendCanonical(to: &examples)
            examples.append(0x0A)
            var label = label.object ?? JSONObject()
            label["split"] = .string(name)
            label["index"] = .integer(count)
            JSON.object(label).appendCanonical(to: &labels)
            labels.append(0x0A)
            count += 1
        }
    }

    mutating func append(_ example: JSON, _ label: JSON, isHeldOut: Bool) {
        if isHeldOut {
            heldOut.append(example, label, labels: &labels)
        } else {
            train.append(example, label, labels: &labels)
        }
    }

    func files(title: String) -> [DatasetFiles.File] {
        let splits = [train, heldOut].filter { $0.count > 0 }
        return splits.map { DatasetFiles.File(name: $0.fileName, bytes: $0.examples) } + [
            DatasetFiles.File(name: "labels.jsonl", bytes: labels),
            DatasetFiles.File(name: "README.md", bytes: Array(readme(splits, title: title).utf8)),
        ]
    }

    private func readme(_ splits: [Split], title: String) -> String {
        var lines: [String] = []
        if !splits.isEmpty {
            lines += ["---", "configs:", "- config_name: default", "  data_files:"]
            for split in splits {
                lines += ["  - split: \(split.name)", "    path: \(split.fileName)"]
            }
            lines += ["---", ""]
        }
        lines += [
            title, "",
            "Each line of `labels.jsonl` says which rows of the features the example `index` of `split` was made from.",
        ]
        return lines.joined(separator: "\n") + "\n"
    }
}
