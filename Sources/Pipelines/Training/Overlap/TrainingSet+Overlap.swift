internal import Artifacts

extension TrainingSet {
    /// What the held-out labels have in common with those to train on.
    ///
    /// Feedback and preferences share the split of their question, so they can overlap only with labels of another
    /// wording.
    func overlap() -> DatasetOverlap {
        var (training, evaluation): ([DatasetOverlap.Example], [DatasetOverlap.Example]) = ([], [])
        func add(_ place: String, _ id: String, _ question: String, isHeldOut: Bool) {
            let example = DatasetOverlap.Example(place: place, id: id, question: question)
            if isHeldOut { evaluation.append(example) } else { training.append(example) }
        }
        for question in questions where !question.isModelMade {
            add("questions", question.id, question.question, isHeldOut: question.isHeldOut)
        }
        for question in unanswerable {
            add("questions", question.id, question.question, isHeldOut: question.isHeldOut)
        }
        for preference in preferences {
            add("preferences", preference.id, preference.question, isHeldOut: preference.isHeldOut)
        }
        for example in generated?.all ?? [] {
            add("generated", example.id, example.question, isHeldOut: example.isHeldOut)
        }
        for example in feedback?.supervised ?? [] {
            add(
                "feedback", example.feedback.id, example.feedback.question,
                isHeldOut: example.isHeldOut)
        }
        for example in feedback?.preferences ?? [] {
            add(
                "feedback", example.feedback.id, example.feedback.question,
                isHeldOut: example.isHeldOut)
        }
        return DatasetOverlap.find(training: training, evaluation: evaluation)
    }
}
