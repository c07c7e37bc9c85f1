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
    /// Renders the examples of the datasets; nil for bare questions.
    let prompt: ServedPrompt?

    func publish(_ outcome: TrainingOutcome) throws(TrainingError) -> PublishedVersions {
        let supervisedName = try name(configuration.supervisedDataset)
        let preferenceName = try name(configuration.preferenceDataset)
        let modelName = try name(configuration.model)
        let files = try DatasetFiles.make(from: outcome, prompt: prompt)
        var sources = ["features": outcome.features.snapshot]
        if let feedback = outcome.set.feedback { sources["feedback"] = feedback.snapshot }
        let generated = outcome.set.generated
        if let generated { sources["generated"] = generated.snapshot }
        var parameters = JSONObject()
        parameters["generate"] = configuration.parameters["generate"]
        parameters["prompt"] = prompt.map { .string($0.prompt.id.hex) }
        parameters["split"] = configuration.parameters["split"]
        parameters["source"] = configuration.parameters["questions"]
        let supervised = try snapshot(
            .dataset, supervisedName, files.supervised, inputs: sources, params: parameters,
            metrics: metrics(
                outcome.set.supervisedCounts, generated: generated?.all.count,
                feedback: outcome.set.feedback?.supervised.count),
            message: outcome.supervisedMessage)
        parameters["source"] = configuration.parameters["preferences"]
        let preference = try snapshot(
            .dataset, preferenceName, files.preference, inputs: sources, params: parameters,
            metrics: metrics(
                outcome.set.pairCounts, generated: generated?.report.pairs,
                feedback: outcome.set.feedback?.preferences.count),
            message: outcome.preferenceMessage)
        let model = try snapshot(
            .model, modelName,
            [
                .init(name: Ranker.tensorsName, bytes: outcome.ranker.tensors),
                .init(name: Ranker.configName, bytes: outcome.ranker.config),
            ],
            inputs: sources.merging(
                ["dataset": supervised.id, "preferences": preference.id]
            ) { $1 },
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

    private func metrics(
        _ counts: TrainingReport.Counts, generated: Int?, feedback: Int?
    ) -> [String: Double] {
        var metrics = [
            "train": Double(counts.training), "heldout": Double(counts.heldOut),
            "unresolved": Double(counts.unresolved),
        ]
        metrics["generated"] = generated.map { Double($0) }
        metrics["feedback"] = feedback.map { Double($0) }
        return metrics
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
