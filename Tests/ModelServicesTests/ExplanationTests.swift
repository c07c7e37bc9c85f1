import Foundation
import Testing

@testable import ModelServices

@Suite("Explanations of services")
struct ServiceExplanationTests {
    @Test(
        "the reason is found in every form in which services report it",
        arguments: [
            #"{"error":{"message":"WHY","type":"invalid_request_error","code":null}}"#,
            #"{"error":"WHY"}"#, #"{"error":["WHY"]}"#,
            #"{"errors":[{"code":7003,"message":"WHY"}]}"#,
            #"{"message":"WHY"}"#, #"{"Message":"WHY"}"#, #"{"detail":"WHY"}"#,
            #"{"detail":[{"loc":["body","input"],"msg":"WHY","type":"value_error"}]}"#,
            #"[{"error":{"code":400,"message":"WHY","status":"INVALID_ARGUMENT"}}]"#,
            #"{"object":"error","message":{"detail":[{"msg":"WHY"}]},"code":3210}"#,
            #"{"object":"error","message":"WHY","type":"BadRequestError","code":400}"#,
            #"{"error_code":110,"error_msg":"WHY"}"#,
            #"{"base_resp":{"status_code":1,"status_msg":"WHY"}}"#,
            #"{"fault":{"faultstring":"WHY"}}"#, #"{"title":"WHY","status":400}"#,
            #"{"title":"Bad Request","detail":"WHY"}"#, #""WHY""#, "WHY", "\n  WHY\nand more\n",
            "<!DOCTYPE html>\n<html><head><TITLE lang=en>\n WHY </TITLE></head><body>x</body></html>",
            #"{"Response":{"Error":{"Code":"X","Message":"WHY"}}}"#,
        ])
    func forms(answer: String) {
        let said = ServiceExplanation(Array(answer.utf8))
        #expect(said.text.hasSuffix("WHY"), "\(said.text)")
    }

    @Test(
        "an answer without a reason gives none",
        arguments: ["", "{}", "[]", "null", "<html><body>x</body></html>", #"{"data":[]}"#, "7"])
    func nothing(answer: String) {
        let said = ServiceExplanation(Array(answer.utf8))
        #expect(said.text.isEmpty)
        #expect(said.status == nil)
    }

    @Test("an error reported under status 200 has the status that it names")
    func inner() {
        for (answer, status) in [
            (#"{"error":{"message":"busy","code":503}}"#, 503),
            (#"[{"error":{"code":429,"message":"x"}}]"#, 429),
            (#"{"status":500,"title":"x"}"#, 500),
        ] { #expect(ServiceExplanation(Array(answer.utf8)).status == status) }
        #expect(
            ServiceExplanation(Array(#"{"error":{"code":"model_not_found"}}"#.utf8)).status == nil)
        #expect(ServiceExplanation(Array(#"{"error":{"code":3210}}"#.utf8)).status == nil)
    }

    @Test(
        "reasons that are long, deep or steer a terminal are shown on one plain line without secrets"
    )
    func shown() throws {
        let address = try ServiceAddress("http://host/v1")
        let header = try #require(ServiceHeader("api-key", "hush-hush"))
        let redaction = Redaction(address, nil, headers: [header])
        let long = #"{"error":"\u001b[2J\u202e hush-hush \#(String(repeating: "x", count: 500))"}"#
        let text = ServiceExplanation(Array(long.utf8)).shown(hiding: redaction)
        #expect(text.unicodeScalars.count == 200 && !text.contains("hush"))
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
        let deep =
            String(repeating: #"{"error":"#, count: 50) + "\"x\""
            + String(repeating: "}", count: 50)
        #expect(ServiceExplanation(Array(deep.utf8)).text == "")
    }

    @Test("transient statuses are retried, and each other status has its own remedy")
    func statuses() {
        for status in [408, 425, 429, 500, 502, 503, 504] + Array(520...529) {
            #expect(ServiceStatus.isPassing(status))
        }
        for status in [400, 401, 403, 404, 413, 422, 501, 505, 530] {
            #expect(!ServiceStatus.isPassing(status))
        }
        for status in [400, 413, 422] {
            #expect(ServiceAPI.embeddings.remedy(status).contains("embed.batch or chunk.size"))
        }
        for status in [401, 403] {
            #expect(ServiceAPI.embeddings.remedy(status).contains("FTI_EMBED_KEY"))
        }
        for status in [404, 410] {
            #expect(ServiceAPI.embeddings.remedy(status).contains("embed.url"))
        }
        #expect(ServiceAPI.embeddings.remedy(429).contains("later"))
    }
}
