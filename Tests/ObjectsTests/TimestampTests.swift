import Objects
import Testing

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "known moments",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_785_576_600_250, "2026-08-01T09:30:00.250Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ])
    func known(milliseconds: Int, text: String) throws {
        let moment = try #require(Timestamp(milliseconds: milliseconds))
        #expect(moment.description == text)
        #expect(Timestamp(text) == moment)
    }

    @Test("every day from 1970 to 2400 round-trips and follows the one before")
    func everyDay() throws {
        var previous = ""
        for day in 0..<157_054 {
            let moment = try #require(
                Timestamp(milliseconds: day * 86_400_000 + day * 547 % 86_400_000))
            // Text of every seventh day: a debug build is slow.
            if day % 7 == 0 {
                let text = moment.description
                #expect(Timestamp(text) == moment)
                #expect(previous < text)
                previous = text
            }
        }
    }

    @Test(
        "text that is not exactly one time in the stored form is refused",
        arguments: [
            "", "2026-08-01", "2026-08-01T09:30:00Z", "2026-08-01T09:30:00.25Z",
            "2026-08-01 09:30:00.250Z", "2026-08-01t09:30:00.250z", "2026-08-01T09:30:00.250+",
            "2026-02-29T00:00:00.000Z", "1900-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z", "2026-04-31T00:00:00.000Z", "2026-01-00T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z", "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z",
            "+026-01-01T00:00:00.000Z", "2026-01-01T00:00:00,000Z", "2026-01-01T00:00:00.000Zé",
            "２026-01-01T00:00:00.0Z",
        ])
    func refused(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("times outside four-digit years are refused")
    func range() {
        for milliseconds in [Int.min, -62_167_219_200_001, 253_402_300_800_000, Int.max] {
            #expect(Timestamp(milliseconds: milliseconds) == nil)
        }
        #expect(Timestamp(year: 2026, month: 2, day: 29) == nil)
        #expect(Timestamp(year: 2024, month: 2, day: 29)?.description.prefix(10) == "2024-02-29")
    }
}
