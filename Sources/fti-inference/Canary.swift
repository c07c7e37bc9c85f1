import ArgumentParser
import Artifacts
import CommandSupport
import ModelServices
import Objects
import Storage

/// `fti-inference canary URL`.
struct RecordCanary: Command {
    static let configuration = CommandConfiguration(
        "canary",
        abstract: "Record what a language model answers without randomness.",
        discussion: """
            Asks the model behind a service with OpenAI's API several questions at temperature 0, twice, \
            and writes the answers. ftictl release --canary binds them to a release: fti-inference serve \
            then uses only an engine that gives the same answers. Nothing is written if the engine does \
            not repeat itself.
            """,
        examples: [
            "fti-inference canary http://llm:8000/v1 --model smollm2 -o canary.json",
            "fti-inference canary https://llm.example/v1 --model m --key LLM_KEY -o canary.json",
        ])

    @OptionGroup var options: GlobalOptions

    @Argument(
        help: ArgumentHelp(
            "The address of the service, such as http://llm:8000/v1.", valueName: "url"))
    var url: String

    @Option(
        help: ArgumentHelp(
            "The model's name at the service (default: the only one that it has).",
            valueName: "name"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "The environment variable that holds the service's key.", valueName: "variable"))
    var key: String?

    @Option(help: ArgumentHelp("Record N answers.", valueName: "n"))
    var items = Canary.usualCount

    @Option(help: ArgumentHelp("Give each answer N seconds.", valueName: "n"))
    var timeout = 120

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The file to write (default: standard output).", valueName: "file"))
    var output: String?

    func validate() throws {
        guard 1...Canary.questions.count ~= items else {
            throw ValidationError("--items must be from 1 to \(Canary.questions.count)")
        }
        guard 1...3600 ~= timeout else {
            throw ValidationError("--timeout must be from 1 to 3600 seconds")
        }
    }

    func run(_ context: CommandContext) throws {
        let deadline = Deadline(after: .seconds(2 * items * timeout))
        var endpoint = try endpoint()
        endpoint.timeout = timeout
        let name = try model ?? onlyModel(at: endpoint, by: deadline)
        let canary = try Canary.record(
            from: ChatService(name, at: endpoint), count: items, by: deadline)
        guard let output else { return try context.output.raw(canary.encoded + [0x0A]) }
        try LocalFile.write(output, canary.encoded)
        try context.output.result(
            [
                "canary": .string(canary.id.hex), "model": .string(name),
                "items": .integer(canary.items.count), "file": .string(output),
            ], "\(output): \(canary.items.count) answers of \(name), each given twice")
    }

    private func endpoint() throws -> ServiceEndpoint {
        let address: ServiceAddress
        do throws(ServiceAddress.Malformed) { address = try ServiceAddress(url, of: .chat) } catch {
            throw CommandError.usage(
                "the address of the service \(error.reason)",
                remedy: "fti-inference canary http://HOST:PORT/v1 --model NAME")
        }
        guard let key else { return ServiceEndpoint(address) }
        return ServiceEndpoint(
            address,
            key: try ServiceKey(setting: "--key", naming: key, Environment.variable))
    }

    private func onlyModel(at endpoint: ServiceEndpoint, by deadline: Deadline) throws -> String {
        let names = try ChatService.models(at: endpoint, by: deadline)
        guard names.count == 1, let name = names.first else {
            let some = names.prefix(5).joined(separator: ", ")
            throw CommandError.usage(
                "name a model: the service at \(endpoint.address) has "
                    + (names.isEmpty ? "none that it names" : "\(names.count) (\(some))"),
                remedy: "fti-inference canary \(endpoint.address) --model NAME")
        }
        return name
    }
}
