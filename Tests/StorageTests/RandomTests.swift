import Storage
import Testing

@Test("random bytes differ each time")
func randomness() throws {
    #expect(try randomBytes(0) == [])
    #expect(try randomBytes(16).count == 16)
    #expect(try randomBytes(16) != randomBytes(16))
}
