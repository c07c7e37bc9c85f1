import Testing

@testable import ModelServices

@Suite("Addresses of services")
struct AddressTests {
    @Test(
        "an address may be a base or name an API, and leads to the wanted one",
        arguments: [
            "http://llm:8000/v1", "http://llm:8000/v1/", "http://llm:8000/v1/embeddings",
            "http://llm:8000/v1/chat/completions", "http://llm:8000/v1/chat/completions/",
            "http://llm:8000/v1/models",
        ])
    func forms(text: String) throws {
        #expect(try ServiceAddress(text).description == "http://llm:8000/v1/embeddings")
        #expect(
            try ServiceAddress(text, of: .chat).description
                == "http://llm:8000/v1/chat/completions")
        #expect(try ServiceAddress(text, of: .models).description == "http://llm:8000/v1/models")
    }

    @Test("user information and query stay in requests to every API, and out of what is shown")
    func secrets() throws {
        let address = try ServiceAddress("https://ada:pass@llm/v1?api-version=7", of: .chat)
        #expect(address.description == "https://llm/v1/chat/completions")
        #expect(address.full == "https://ada:pass@llm/v1/chat/completions?api-version=7")
        let models = try address.with(.models)
        #expect(models.full == "https://ada:pass@llm/v1/models?api-version=7")
    }
}
