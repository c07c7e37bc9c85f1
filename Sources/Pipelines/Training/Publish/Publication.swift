internal import Artifacts
internal import Objects
internal import Refs
internal import Storage

/// The publish stage: two datasets and a model in one transaction.
///
/// What would say the same as what its ref points at already is not stored again: a repeated run publishes
/// nothing.
struct Publication {
    let transaction: Transaction
    let configuration: TrainingConfiguration
    let producer: Snapshot.Producer
    let created: Timestamp

    func publish(_ outcome: TrainingOutcome) throws(TrainingError) -> Published {
        let supervisedName = try name(configuration.supervisedDataset)
        let preferenceName = try name(configuration.preferenceDataset)
        let modelName = try name(configuration.model)
        let files = try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            try DatasetFiles(outcome)
        }
        let features = ["features": outcome.features.snapshot]
        var parameters = JSONObject()
        parameters["split"] = configuration.parameters["split"]
        parameters["source"] = configuration.parameters["questions"]
        let supervised = try snapshot(
            .dataset, supervisedName, files.supervised, inputs: features, params: parameters,
            metrics: [
                "train": Double(outcome.set.questions.count { !$0.isHeldOut }),
                "heldout": Double(outcome.set.questions.count { $0.isHeldOut }),
                "unresolved": Double(outcome.set.unresolvedQuestions),
            ], message: outcome.supervisedMessage)
        parameters["source"] = configuration.parameters["preferences"]
        let preference = try snapshot(
            .dataset, preferenceName, files.preference, inputs: features, params: parameters,
            metrics: [
                "train": Double(outcome.set.preferences.count { !$0.isHeldOut }),
                "heldout": Double(outcome.set.preferences.count { $0.isHeldOut }),
                "unresolved": Double(outcome.set.unresolvedPreferences),
            ], message: outcome.preferenceMessage)
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
        return Published(
            commit: commit, supervised: supervised.id, preference: preference.id, model: model.id)
    }

    private func name(_ text: String) throws(TrainingError) -> RefName {
        try wrapping(as: TrainingError.refs) { () throws(RefError) in try RefName(text) }
    }

    /// What was measured on held-out questions: of questions that people labelled under the names that gates ask for, of
    /// generated ones under other names, since they predict no use. Nothing where none was held out.
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
        return try wrapping(as: TrainingError.refs) { () throws(RefError) in
            try transaction.store(NextVersion(of: name, snapshot))
        }
    }

    private static func path(_ name: String) throws(ObjectError) -> RelativePath {
        do {
            return try RelativePath(name)
        } catch {
            throw .invalid(what: name, reason: "it is not a file name")
        }
    }
}

/// What was published.
struct Published {
    let commit: Commit
    let supervised: ObjectID
    let preference: ObjectID
    let model: ObjectID
}
