import Testing

@testable import Objects

@Suite("Pack footers")
struct PackFooterTests {
    private static let dataEnd = 8 + 300

    private static func id(_ number: UInt8) -> ObjectID {
        ObjectID(bytes: [UInt8](repeating: number, count: 32).span)
    }

    private static func piece(
        _ offset: Int, _ storedSize: Int, _ size: Int? = nil
    ) -> PackFooter.Piece {
        .init(
            offset: offset, storedSize: storedSize, size: size ?? storedSize, codec: .stored,
            isObject: true)
    }

    private static let pieces = [
        id(1): piece(108, 200), id(2): piece(8, 100), id(3): piece(308, 0),
    ]
    private static let recipes = [
        id(4): PackFooter.Recipe(
            size: 300, pieces: [.init(id: id(1), size: 200), .init(id: id(2), size: 100)]),
        id(5): PackFooter.Recipe(
            size: 150, pieces: [.init(id: id(2), size: 100), .init(id: id(1), size: 50)],
            points: [point(1)]),
    ]

    private static func point(_ reference: Int) -> PackFooter.DigestPoint {
        var hasher = ObjectHasher()
        hasher.update([UInt8](repeating: 7, count: 100).span)
        return PackFooter.DigestPoint(reference: reference, hasher)
    }

    private static func encode(
        _ pieces: [ObjectID: PackFooter.Piece] = pieces,
        _ recipes: [ObjectID: PackFooter.Recipe] = recipes
    ) -> [UInt8] {
        PackFooter.encode(pieces: pieces, recipes: recipes, nonce: Array(0..<16))
    }

    private static func isRefused(_ bytes: [UInt8], dataEnd: Int = dataEnd) -> Bool {
        (try? PackFooter(decoding: bytes, dataEnd: dataEnd)) == nil
    }

    // Where the parts of the encoded footer begin.
    private static let counts = 24
    private static let pieceIDs = 40
    private static let pieceEntries = pieceIDs + 3 * 32
    private static let recipeIDs = pieceEntries + 3 * 24
    private static let recipeEntries = recipeIDs + 2 * 32
    private static let referenceIDs = recipeEntries + 2 * 16
    private static let referenceSizes = referenceIDs + 4 * 32
    private static let points = referenceSizes + 4 * 4

    @Test("a footer survives a round trip")
    func roundTrip() throws {
        let footer = try PackFooter(decoding: Self.encode(), dataEnd: Self.dataEnd)
        #expect(footer.pieceCount == 3 && footer.recipeCount == 2)
        for (id, piece) in Self.pieces {
            let index = try #require(footer.indexOfPiece(id))
            #expect(footer.pieceID(at: index) == id)
            #expect(try footer.piece(at: index) == piece)
            #expect(footer.indexOfRecipe(id) == nil)
        }
        for (id, recipe) in Self.recipes {
            let index = try #require(footer.indexOfRecipe(id))
            #expect(footer.recipeID(at: index) == id)
            #expect(try footer.recipe(at: index) == recipe)
            #expect(footer.indexOfPiece(id) == nil)
        }
        #expect(footer.lowerBound(Self.id(0), among: .pieces) == 0)
        #expect(footer.lowerBound(Self.id(2), among: .pieces) == 1)
        #expect(footer.lowerBound(Self.id(9), among: .pieces) == 3)
        #expect(footer.lowerBound(Self.id(5), among: .recipes) == 1)
    }

    @Test("a footer of recipes alone and an empty footer are read")
    func sparse() throws {
        let recipes = try PackFooter(decoding: Self.encode([:]), dataEnd: 8)
        #expect(recipes.indexOfRecipe(Self.id(4)) == 0 && recipes.indexOfPiece(Self.id(4)) == nil)
        let nothing = try PackFooter(decoding: Self.encode([:], [:]), dataEnd: 8)
        #expect(nothing.indexOfRecipe(Self.id(4)) == nil && nothing.pieceCount == 0)
    }

    @Test("truncations, extensions and other data ends are refused")
    func lengths() {
        let bytes = Self.encode()
        for count in 0..<bytes.count { #expect(Self.isRefused(Array(bytes[..<count]))) }
        for count in 1..<bytes.count { #expect(Self.isRefused(Array(bytes[count...]))) }
        #expect(Self.isRefused(bytes + [0]))
        for end in [0, 8, 307, 309, .max] { #expect(Self.isRefused(bytes, dataEnd: end)) }
    }

    @Test("pieces that overlap, leave a gap or lie outside are refused")
    func ranges() {
        for pieces in [
            [Self.id(1): Self.piece(8, 200), Self.id(2): Self.piece(8, 100)],
            [Self.id(1): Self.piece(8, 150), Self.id(2): Self.piece(158, 100)],
            [Self.id(1): Self.piece(8, 200), Self.id(2): Self.piece(158, 150)],
            [Self.id(1): Self.piece(8, 300), Self.id(2): Self.piece(8, 300)],
            [Self.id(1): Self.piece(8, 300), Self.id(2): Self.piece(100, 50)],
            [Self.id(1): Self.piece(0, 308)], [Self.id(1): Self.piece(7, 301)],
            [Self.id(1): Self.piece(8, 301)], [Self.id(1): Self.piece(9, 299)],
            [Self.id(1): Self.piece(8, 300), Self.id(2): Self.piece(309, 0)],
            [Self.id(1): Self.piece(8, 300), Self.id(2): Self.piece(.max, 0)],
            [Self.id(1): Self.piece(8, 300, 299)],
            [Self.id(1): Self.piece(8, 300, PackFooter.pieceSizeLimit + 1)], [:],
        ] {
            #expect(Self.isRefused(Self.encode(pieces)))
        }
        #expect(!Self.isRefused(Self.encode([Self.id(1): Self.piece(8, 300)])))
    }

    @Test("offsets and sizes that wrap around are refused")
    func wrapping() {
        for (position, width) in [
            (Self.pieceEntries, 8), (Self.pieceEntries + 8, 4), (Self.pieceEntries + 12, 4),
            (Self.recipeEntries, 8), (Self.recipeEntries + 8, 4), (Self.recipeEntries + 12, 4),
            (Self.referenceSizes, 4), (Self.counts, 4), (Self.counts + 4, 4), (Self.counts + 8, 4),
            (Self.counts + 12, 4),
        ] {
            for fill: [UInt8] in [
                [UInt8](repeating: 0xFF, count: width),
                [UInt8](repeating: 0, count: width - 1) + [0x80],
                [UInt8](repeating: 0xFF, count: width - 1) + [0x7F],
                [UInt8](repeating: 0xFE, count: 1) + [UInt8](repeating: 0xFF, count: width - 1),
            ] {
                var bytes = Self.encode()
                bytes.replaceSubrange(position..<position + width, with: fill)
                #expect(Self.isRefused(bytes), "\(position)")
            }
        }
    }

    @Test(
        "a digest point before a recipe's first reference, out of order or beyond the pieces is refused"
    )
    func digestPoints() {
        for reference: UInt8 in [0, 1, 2, 4, 5, 255] {
            var bytes = Self.encode()
            bytes[Self.points] = reference
            #expect(Self.isRefused(bytes) == (reference != 1), "\(reference)")
        }
        var recipes = Self.recipes
        for order in [[1, 1], [2, 1]] {
            recipes[Self.id(5)]?.pieces += [.init(id: Self.id(2), size: 100)]
            recipes[Self.id(5)]?.size += 100
            recipes[Self.id(5)]?.points = order.map { Self.point($0) }
            #expect(Self.isRefused(Self.encode(Self.pieces, recipes)))
        }
        #expect(!Self.isRefused(Self.encode()))
    }

    @Test("identities out of order or repeated are refused")
    func order() {
        for start in [Self.pieceIDs, Self.recipeIDs] {
            var swapped = Self.encode()
            let first = Array(swapped[start..<start + 32])
            let second = Array(swapped[start + 32..<start + 64])
            swapped.replaceSubrange(start..<start + 64, with: second + first)
            #expect(Self.isRefused(swapped))
            swapped.replaceSubrange(start..<start + 64, with: first + first)
            #expect(Self.isRefused(swapped))
        }
    }

    @Test("unknown codecs, flags and reserved bytes are refused")
    func unknown() {
        for (position, value) in [
            (Self.pieceEntries + 16, UInt8(6)), (Self.pieceEntries + 16, 255),
            (Self.pieceEntries + 17, 2), (Self.pieceEntries + 18, 64), (Self.pieceEntries + 19, 1),
            (0, 0x46), (7, 0x32),
        ] {
            var bytes = Self.encode()
            bytes[position] = value
            #expect(Self.isRefused(bytes), "\(position)")
        }
    }

    @Test("recipes that do not add up, share pieces or leave some over are refused")
    func recipeRules() {
        func set(_ changes: [(Int, UInt32)]) -> [UInt8] {
            var bytes = Self.encode()
            for (position, value) in changes { LittleEndian.set(value, at: position, in: &bytes) }
            return bytes
        }
        #expect(!Self.isRefused(set([])))
        #expect(Self.isRefused(set([(Self.recipeEntries, 301)])))
        #expect(Self.isRefused(set([(Self.referenceSizes, 199)])))
        // The second recipe also claims a piece of the first.
        #expect(Self.isRefused(set([(Self.recipeEntries + 16 + 8, 1)])))
        // The last piece of the first recipe belongs to none.
        #expect(Self.isRefused(set([(Self.recipeEntries + 12, 1), (Self.recipeEntries, 200)])))
        // The second recipe leaves out its only piece.
        #expect(Self.isRefused(set([(Self.recipeEntries + 28, 0), (Self.recipeEntries + 16, 0)])))
        // An empty piece.
        #expect(
            Self.isRefused(
                set([(Self.referenceSizes, 300), (Self.referenceSizes + 4, 0)])))
    }

    @Test("a footer with a changed byte is refused or describes pieces inside the data")
    func flipped() throws {
        let bytes = Self.encode()
        var accepted = 0
        for position in 0..<bytes.count {
            for bit in 0..<8 {
                var changed = bytes
                changed[position] ^= 1 << UInt8(bit)
                guard let footer = try? PackFooter(decoding: changed, dataEnd: Self.dataEnd) else {
                    continue
                }
                accepted += 1
                for index in 0..<footer.pieceCount {
                    let piece = try footer.piece(at: index)
                    #expect(piece.offset >= 8 && piece.offset + piece.storedSize <= Self.dataEnd)
                }
                for index in 0..<footer.recipeCount {
                    #expect(try footer.recipe(at: index).size <= 300)
                }
            }
        }
        #expect(accepted > 0 && accepted < 8 * bytes.count)
    }
}
