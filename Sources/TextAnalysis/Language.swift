internal import CStemmer
internal import Synchronization

/// The language of a text.
public struct Language: Hashable, Sendable {
    /// The ISO 639 code, two or three lower-case letters such as `en`.
    public let code: String

    /// Reads a language tag and drops its region and script: `de-AT` and `de_AT` both give `de`. Nil for a malformed
    /// tag.
    ///
    /// Any well-formed code is accepted, including codes of languages that have no stemmer.
    public init?(code: String) {
        let parts = code.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "_" }
        guard let first = parts.first, 2...3 ~= first.utf8.count,
            code.utf8.allSatisfy({
                Self.isLetter($0) || 0x30...0x39 ~= $0 || $0 == 0x2D || $0 == 0x5F
            }),
            first.utf8.allSatisfy(Self.isLetter), parts.allSatisfy({ 1...8 ~= $0.utf8.count })
        else { return nil }
        self.code = first.lowercased()
    }

    private static func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7A ~= byte | 0x20 }

    private init(known code: String) { self.code = code }

    /// English.
    public static let english = Language(known: "en")

    /// The name of the Snowball algorithm; nil where Snowball has none.
    var algorithm: String? { Self.algorithms[code] }

    /// Snowball's algorithms by language code.
    static let algorithms: [String: String] = [
        "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish",
        "nl": "dutch", "en": "english", "fi": "finnish", "fr": "french", "de": "german",
        "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish",
        "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian",
        "nb": "norwegian", "nn": "norwegian", "pt": "portuguese", "ro": "romanian",
        "ru": "russian", "sr": "serbian", "es": "spanish", "sv": "swedish", "ta": "tamil",
        "tr": "turkish", "yi": "yiddish",
    ]
}

/// Finds the stems and stop words of one language; without a stemmer, a word is its own stem.
///
/// Pointers are confined to this file. Not thread-safe: a ``StemmerPool`` lends each stemmer to one thread at a time,
/// which is why it may cross threads.
final class Stemmer: @unchecked Sendable {
    /// The hashes of a word and its stem, and whether the word is a stop word.
    struct Entry {
        var word: UInt64
        var stem: UInt64
        var isStopWord: Bool
    }

    private let handle: OpaquePointer?
    private let stopWords: Set<UInt64>
    /// The most recent word of each slot: texts repeat their words.
    private var known: [Entry]

    private static let places = 1 << 13
    /// A longer sequence of letters is not a word in any language.
    static let longestWord = 256

    init(_ language: Language, stopWords: Set<UInt64>) {
        handle = language.algorithm.flatMap { sb_stemmer_new($0, nil) }
        self.stopWords = stopWords
        // Fills each slot with a hash that cannot belong there, so that no word matches an empty slot.
        known = (0..<Self.places).map {
            Entry(word: UInt64(~$0 & 0xFFFF), stem: 0, isStopWord: false)
        }
    }

    deinit { if let handle { sb_stemmer_delete(handle) } }

    /// The entry of the word with this hash.
    ///
    /// - Parameter word: Returns the word in the matched form; called only on a cache miss.
    @inline(__always)
    func entry(of hash: UInt64, word: () -> [UInt8]) -> Entry {
        let place = Int(truncatingIfNeeded: hash) & (Self.places - 1)
        let entry = known[place]
        return entry.word == hash ? entry : makeEntry(of: hash, word(), at: place)
    }

    private func makeEntry(of hash: UInt64, _ word: [UInt8], at place: Int) -> Entry {
        var entry = Entry(word: hash, stem: hash, isStopWord: stopWords.contains(hash))
        if !entry.isStopWord, let stem = stem(of: word) { entry.stem = TermHash.of(stem) }
        known[place] = entry
        return entry
    }

    /// The stem of a word in the matched form; nil without a stemmer, or when the word is too long for it.
    func stem(of word: [UInt8]) -> [UInt8]? {
        guard let handle, word.count <= Self.longestWord,
            let stem = sb_stemmer_stem(handle, word, Int32(word.count))
        else { return nil }
        let count = Int(sb_stemmer_length(handle))
        return Array(UnsafeBufferPointer(start: stem, count: count))
    }
}

/// The stemmers of one language; each is lent to one thread at a time.
final class StemmerPool: Sendable {
    private let language: Language
    private let stopWords: Set<UInt64>
    private let idle = Mutex<[Stemmer]>([])

    init(_ language: Language) {
        self.language = language
        stopWords = StopWords.hashes(language)
    }

    /// Lends a stemmer to `body`.
    func withStemmer<Result>(_ body: (Stemmer) -> Result) -> Result {
        let stemmer = idle.withLock { $0.popLast() } ?? Stemmer(language, stopWords: stopWords)
        defer { idle.withLock { $0.append(stemmer) } }
        return body(stemmer)
    }
}

/// Stop words by language: the most frequent words, which carry no meaning of their own.
enum StopWords {
    /// The hashes of a language's stop words; empty where the language has no list.
    static func hashes(_ language: Language) -> Set<UInt64> {
        let code = ["nb", "nn"].contains(language.code) ? "no" : language.code
        return sets[code] ?? []
    }

    private static let sets = lists.mapValues { list in
        Set(list.split(separator: " ").map { TermHash.of(TextForm.matched(String($0))) })
    }

    /// The language codes that have a list, ascending.
    static let codes = lists.keys.sorted()

    /// The languages that each stop word belongs to, as indices into ``codes``, by the word's hash.
    static let languages: [UInt64: [Int]] = {
        var languages: [UInt64: [Int]] = [:]
        for (index, code) in codes.enumerated() {
            for hash in sets[code] ?? [] { languages[hash, default: []].append(index) }
        }
        return languages
    }()

    /// The lists by language code, case-folded.
    ///
    /// The letters that an apostrophe separates, such as the t of `don't`, are words of their own.
    static let lists: [String: String] = [
        "en": """
        a about above after again against all also am an and any are aren as at be because been \
        before being below between both but by can cannot could couldn d did didn do does doesn \
        doing don down during each few for from further had hadn has hasn have haven having he \
        her here hers herself him himself his how i if in into is isn it its itself just ll m me \
        more most mustn my myself needn no nor not of off on once only or other ought our ours \
        ourselves out over own re s same shan she should shouldn so some such t than that the \
        their theirs them themselves then there these they this those through to too under until \
        up ve very was wasn we were weren what when where which while who whom why will with won \
        would wouldn you your yours yourself yourselves
        """,
        "de": """
        aber alle allem allen aller alles als also am an ander andere anderen anderer anderes \
        auch auf aus bei beim bin bis bist da damit dann das dass dem den denn der des dich die \
        dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer \
        eines er es etwas euch euer eure für gegen hab habe haben hat hatte hatten hier hin \
        hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in indem ins ist ja jede jedem \
        jeden jeder jedes jetzt kann kein keine keinem keinen keiner können man manche mein \
        meine meinem meinen meiner mich mir mit muss müssen nach nicht nichts noch nun nur ob \
        oder ohne sehr sein seine seinem seinen seiner seit sich sie sind so solche soll sollte \
        sondern sonst um und uns unser unsere unter viel vom von vor war waren warum was weg \
        weil weiter welche welchem welchen welcher wenn wer werde werden wie wieder will wir \
        wird wirst wo wollen während würde würden zu zum zur zwar zwischen über
        """,
        "fr": """
        a ai au aucun aussi autre aux avec avez avoir avons c ce ceci cela celle celles celui \
        ces cet cette ceux chaque comme comment d dans de depuis des deux dont du elle elles en \
        encore entre est et eu fait font il ils j je l la le les leur leurs lors lui m ma mais \
        me mes moi moins mon même n ne nos notre nous on ont ou où par pas pendant peut peuvent \
        plus pour pourquoi qu quand que quel quelle quelles quels qui s sa sans se sera seront \
        ses si son sont sous sur t ta te tes toi ton tous tout toute toutes très tu un une vos \
        votre vous y à étaient était étant été êtes être
        """,
        "es": """
        a al algo algunas algunos ante antes aquel aquella como con contra cual cuando cuál \
        cuándo cómo de del desde donde durante dónde e el ella ellas ellos en entre era eran es \
        esa esas ese eso esos estar estas este esto estos está están fue fueron ha hace hacer \
        han hasta hay la las le les lo los me mi mis mucho muchos muy más nada ni no nos \
        nosotros nuestra nuestro o otra otras otro otros para pero poco por porque puede pueden \
        que quien quién qué se sea ser si sin sobre son su sus sí también tanto te tener tiene \
        tienen todo todos tu tus un una uno unos usted y ya yo él
        """,
        "it": """
        a ad agli ai al alla alle allo anche avere aveva c che chi ci come con contro cosa cui d \
        da dagli dai dal dalla dalle degli dei del dell della delle dello di dove due e ed era \
        erano essere fa fra gli ha hanno ho i il in io l la le lei li lo loro lui ma me mi mia \
        mio molto ne negli nei nel nella nelle nello noi non nostro o ogni per perché più può \
        qual quale quali quando quanto quella quelle quelli quello questa queste questi questo \
        sarà se sei si sia sono sopra sotto sta su sua sue sugli sui sul sulla sulle suo suoi \
        tra tu tutti tutto un una uno vi voi è
        """,
        "pt": """
        a ao aos aquela aquele aquilo as até com como da das de dela dele deles depois do dos e \
        ela elas ele eles em entre era eram essa essas esse esses esta estas este estes está \
        estão eu foi foram há isso isto já la lhe mais mas me mesmo meu minha muito na nas nem \
        no nos nossa nosso num numa não nós o onde os ou para pela pelas pelo pelos pode podem \
        por porque quais qual quando que quem se sem ser será seu seus sua suas são só também te \
        tem ter têm um uma umas uns você à às é
        """,
        "nl": """
        aan al alles als altijd andere ben bij daar dan dat de deze die dit doch doen door dus \
        een en er ge geen had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja \
        je kan kon kunnen maar me meer men met mij mijn moet na naar niet niets nog nu of om \
        omdat onder ons ook op over reeds te tegen toch toen tot u uit uw van veel voor waar \
        waarom wanneer want waren was wat we wel werd wezen wie wij wil worden wordt zal ze zelf \
        zich zij zijn zo zonder zou
        """,
        "sv": """
        alla allt att av blev bli blir de dem den denna deras dess dessa det detta dig din dina \
        ditt du där efter ej eller en er ett från för ha hade han hans har hon honom hur här i \
        icke in inte jag ju kan kunde man med mellan men mig min mina mitt mot mycket ni nu när \
        någon något några och om oss på samma sedan sig sin sina sitt själv skulle som så till \
        under upp ut utan vad var vara varför varje vem vi vid vilka vilken vilket än är åt över
        """,
        "da": """
        ad af alle alt anden at blev blive bliver da de dem den denne der deres det dette dig \
        din disse dog du efter eller en end er et for fordi fra ham han hans har havde have \
        hende her hos hun hvad hvem hvis hvor hvordan hvorfor hvornår i ikke ind jeg jer jo kan \
        kunne man mange med meget men mig min mit mod ned noget nogle nu når og også om op os \
        over på sig sin sit skal skulle som sådan thi til ud under var vi vil ville være været
        """,
        "no": """
        alle at av bare begge ble bli blir da de deg dem den denne der dere deres det dette din \
        disse du eller en enn er et etter for fordi fra før ha hadde han hans har hun hva hvem \
        hver hvilken hvis hvor hvordan hvorfor i ikke inn ja jeg kan kunne man mange med meg \
        meget men mer min mitt mot mye ned noe noen nå når og også om opp oss over på seg selv \
        sin skal skulle slik som så til ut var ved vi vil vår være vært
        """,
        "fi": """
        ei eivät en enemmän ettei että he hän ja jo joka jonka jos jossa jota jotka kanssa \
        keskellä kuin kuinka kun me miksi mikä missä mitä mukaan mutta myös ne niiden niin nyt \
        näin nämä ole olen oli olisi olivat olla on ovat se sekä sen siellä siinä sitä tai te \
        tämä tämän tässä tätä vaan vain voi voidaan voivat yli
        """,
        "pl": """
        a aby albo ale bardzo bez bo by być był była było były będzie będą ci co czy dla do gdy \
        gdzie go i ich ile im inne ja jak jako je jednak jego jej jest jestem jeszcze jeśli już \
        każdy kiedy kto która które którego której który których którzy lub ma mają mi mnie może \
        można my na nad nam nas nawet nich nie niej nim nią no o od on ona one oni oraz po pod \
        ponieważ przed przez przy się są ta tak także tam te tego tej ten też to tu ty tylko tym \
        w we więc wszystko z za ze że
        """,
        "cs": """
        a aby ale ani až bez bude budou by byl byla bylo byly být co což další do ho i jak jako \
        je jeho jej jejich její jen jestli ještě ji již jsem jsme jsou k kde kdo když která \
        které který kteří ma mají mezi mi může na nad nebo není než o od on ona oni pak po pod \
        podle pokud pouze pro proto protože před při s se si tak také tato tedy ten tento to \
        toto tuto tím u už v ve vy vám z za ze že
        """,
        "hu": """
        a abban addig aki akkor amely amelyek ami amikor az azok azonban azt be csak de e ebben \
        egy ehhez el ez ezek ezt ha hanem hogy hogyan hol igen ill is itt jól kell ki le lehet \
        lesz ma meg mely mert mi minden mint mit most már más még míg nagy nem nincs olyan ott \
        pedig s sem után vagy van vannak vele volt által én és így össze úgy ő ők
        """,
        "ro": """
        a această acest acesta aceste acestea ai al ale am ar are asta astfel atunci au avea ca \
        care ce cel cele cine cu cum când cât că dacă dar de deci decât din doar după ea ei ele \
        este eu fi fie fiecare foarte fost i iar la le lor lui mai mult ne ni nici noi nu o ori \
        pe pentru poate prin sau se si sunt să te toate tot un unde unei unui va vom vor în într \
        între și
        """,
        "tr": """
        acaba ama ancak artık aslında az bana bazı belki ben beni benim bile bir biri birkaç biz \
        bu buna bunu bunun da daha de defa diye en eğer gibi hem hep hepsi her hiç ile ise için \
        kadar kez ki kim kimse mi mu mü mı nasıl ne neden nerede niye o olan olarak oldu olduğu \
        olur ona onlar onu onun sen siz sonra tüm ve veya ya yani çok çünkü üzere şey şu
        """,
        "ru": """
        а без более больше будет будто бы был была были было быть в вам вас весь во вот все \
        всего всех всё вы где да даже для до его ее если есть еще ещё её же за здесь и из или им \
        их к как какая какой когда кто ли либо между меня мне может можно мой мы на над надо нас \
        не него нее ней нельзя нет ни них но ну о об один он она они оно от перед по под после \
        потому при про с сам себя со так также такой там те тем то того тоже той только том тот \
        тут ты у уже хотя чего чем что чтобы эта эти это этого этой этом этот я
        """,
    ]
}
