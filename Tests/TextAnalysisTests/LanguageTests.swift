import Testing

@testable import TextAnalysis

@Suite("The languages of texts")
struct LanguageTests {
    @Test(
        "codes",
        arguments: [
            ("en", "en"), ("de-AT", "de"), ("ZH-Hant", "zh"), ("haw", "haw"), ("e", nil),
            ("auto", nil), ("en-", nil), ("d1", nil), ("", nil), ("en_US", "en"),
            ("en-abcdefghi", nil),
            ("ü-x", nil),
        ] as [(String, String?)])
    func codes(text: String, code: String?) { #expect(Language(code: text)?.code == code) }

    @Test(
        "the language of a text is detected",
        arguments: [
            ("The pump starts when the soil is drier than the threshold.", "en"),
            ("Die Pumpe startet, wenn der Boden trockener als die Schwelle ist.", "de"),
            ("La pompe démarre lorsque le sol est plus sec que le seuil.", "fr"),
            ("La bomba se pone en marcha cuando el suelo está más seco que el umbral.", "es"),
            ("La pompa si avvia quando il terreno è più secco della soglia.", "it"),
            ("A bomba começa quando o solo está mais seco do que o limite.", "pt"),
            ("De pomp start wanneer de grond droger is dan de drempel.", "nl"),
            ("Pumpen startar när jorden är torrare än gränsen och det är varmt.", "sv"),
            ("Pumpen starter, når jorden er tørrere end grænsen, og det er noget af det.", "da"),
            ("Pumpen starter når jorda er tørrere enn grensen, og det er noe av det.", "no"),
            ("Pumppu käynnistyy, kun maa on kuivempi kuin raja ja se ei ole päällä.", "fi"),
            ("Pompa włącza się, gdy gleba jest bardziej sucha niż próg, ale nie w nocy.", "pl"),
            ("A szivattyú akkor indul, amikor a talaj szárazabb, mint egy határ.", "hu"),
            ("Toprak eşikten daha kuru olduğu için pompa çok çalışır ve bu iyi.", "tr"),
            ("Насос включается, когда почва суше, чем этот порог.", "ru"),
            ("Насос вмикається, коли ґрунт сухіший за поріг.", "uk"),
            ("土壤干燥时水泵启动", "zh"), ("土が乾くとポンプが動きます", "ja"),
            ("使用 FastAPI 的依赖注入系统时，路径操作函数可以声明参数", "zh"),
            ("토양이 마르면 펌프가 시작됩니다", "ko"), ("Η αντλία ξεκινά όταν το έδαφος στεγνώσει", "el"),
            ("ปั๊มเริ่มทำงานเมื่อดินแห้ง", "th"), ("تبدأ المضخة عندما تجف التربة", "ar"),
            ("پمپ زمانی شروع می‌شود که خاک خشک است", "fa"), ("המשאבה מתחילה כשהאדמה יבשה", "he"),
            ("1234 --", nil), ("xkcd qwrt", nil), ("", nil),
        ] as [(String, String?)])
    func detection(text: String, code: String?) {
        #expect(Language.detected(in: text)?.code == code)
    }

    @Test("Snowball has every algorithm, and each has another stem of some word")
    func algorithms() throws {
        for code in Language.algorithms.keys {
            let language = try #require(Language(code: code))
            let definition = String(decoding: TextAnalyzer.definition, as: UTF8.self)
            let line = try #require(
                definition.split(separator: "\n").first { $0.hasPrefix("stems \(code) ") })
            let plain = Stemmer(try #require(Language(code: "und")), stopWords: [])
            #expect(plain.stem(of: Array("running".utf8)) == nil)
            #expect(!line.isEmpty && language.algorithm != nil)
        }
    }

    @Test("stop word lists are sorted, normalised, and hold single words")
    func stopWords() {
        for (code, list) in StopWords.lists {
            let words = list.split(separator: " ").map(String.init)
            #expect(words == words.sorted(), "\(code)")
            #expect(Set(words).count == words.count, "\(code)")
            for word in words {
                let tokens = TextAnalyzer().tokens(of: word)
                #expect(tokens.count == 1, "\(code): \(word)")
                #expect(TextForm.matched(word).utf8.elementsEqual(word.utf8), "\(code): \(word)")
            }
        }
    }

    @Test("the definition is complete, under 64 KiB and deterministic")
    func definition() {
        let text = String(decoding: TextAnalyzer.definition, as: UTF8.self)
        #expect(TextAnalyzer.definition.count <= 65536)
        #expect(text.contains("unicode \(TextForm.unicodeVersion)\n"))
        #expect(text.contains("stems en english: run connect happili"))
        #expect(text.contains("stop words de: aber alle"))
    }
}
