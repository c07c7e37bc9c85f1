import Artifacts
import CommandSupport
import InferencePipeline
import Objects
import Serving

/// What the templates show. Each type has the members that its template names; they are stored, as Mustache sees no
/// others.
enum PageModel {
    /// The frame of all pages.
    struct Layout {
        let title: String
        let ref: String
        let transaction: Int
        let body: HTML
        let served: HTML
        let style = PageAsset.style.address
        let script = PageAsset.script.address
        let icon = PageAsset.icon.address
    }

    /// Something to notice.
    struct Notice {
        var headline: String?
        let message: String
        var isThanks = false
        var isAlert = false
        var link: String?
        var linkText: String?
    }

    /// A field for a token.
    struct TokenField {
        let field: String
    }

    /// A name and a value.
    struct Member {
        let name: String
        let value: String
        var isCode = false
    }

    /// The form for a question, below an answer if there is one.
    struct Ask {
        let notices: [Notice]
        let question: HTML
        let article: HTML?
        let isFirst: Bool
        let label: String
        let askToken: TokenField?

        init(
            notices: [Notice] = [], question: String = "", article: HTML? = nil,
            needsToken: Bool
        ) {
            self.notices = notices
            self.question = HTML(exact: question)
            self.article = article
            isFirst = article == nil
            label = isFirst ? "Your question" : "Ask another question"
            askToken = needsToken ? TokenField(field: "token") : nil
        }
    }

    /// A page that asks for a token.
    struct Locked {
        let notices: [Notice]
        let heading: String
        let action: String
        let fields: [Field]
        let lockToken = TokenField(field: "token")

        struct Field {
            let name: String
            let value: HTML
        }
    }

    /// What is served.
    struct Served {
        let notices: [Notice]
        let members: [Member]
        let example: String
        let isOpen: Bool
        let showsMetrics: Bool
        let showsAPI: Bool
    }

    /// An answer with its sources.
    struct Answer {
        let question: String
        let isLong: Bool
        let text: HTML
        let writer: String
        let time: String
        let timeText: String
        let path: String?
        let remark: String?
        let hasSources: Bool
        let cited: [SourceItem]
        let hasOthers: Bool
        let others: [SourceItem]
        let othersTitle: String
        let feedback: Feedback?
        let origins: [Member]
        let record: String?
    }

    /// A passage of an answer.
    struct SourceItem {
        let number: Int
        let title: String
        let link: String
        let trail: String?
        let text: HTML
        let isOpen: Bool
        let document: String
        let page: Int?
        let address: String?
        let ranks: String?
        let language: String?
    }

    /// The form for feedback.
    struct Feedback {
        let action: String
        let hasPassages: Bool
        let passages: [Choice]
        let record: HTML
        let feedbackToken: TokenField?

        struct Choice {
            let value: String
            let label: String
        }
    }

    /// A passage in its document.
    struct Source {
        let notices: [Notice]
        let title: String
        let trail: String?
        let chunks: [Chunk]
        let hasEarlier: Bool
        let hasLater: Bool
        let address: String?
        let back: String?
        let attributes: [Member]
        let hasSections: Bool
        let sections: [Section]

        struct Chunk {
            let html: HTML
            let isPassage: Bool
            let language: String?
        }

        struct Section {
            let title: String
            let link: String
        }
    }
}

/// The addresses of pages, and addresses that documents bring along.
enum PageLink {
    static func answer(_ id: String) -> String { "/answers/\(id)" }

    /// The address of a passage in its document.
    ///
    /// - Parameters:
    ///   - answer: The answer that cites it.
    ///   - features: The features that the answer comes from, to notice when they are no longer served.
    static func source(
        _ key: String, answer: String? = nil, features: ObjectID? = nil
    ) -> String {
        var link = "/sources?key=" + PercentEncoding.encoded(key)
        if let answer { link += "&answer=" + PercentEncoding.encoded(answer) }
        if let features { link += "&features=" + features.short }
        return link + "#passage"
    }

    /// The address of a document if a browser may follow it: HTTP, and nothing that could be misread.
    static func outside(_ address: String?) -> String? {
        guard let address, address.utf8.count <= 2000 else { return nil }
        let scheme = address.prefix(8).lowercased()
        let rest: Substring
        if scheme.hasPrefix("https://") {
            rest = address.dropFirst(8)
        } else if scheme.hasPrefix("http://") {
            rest = address.dropFirst(7)
        } else {
            return nil
        }
        guard let first = rest.unicodeScalars.first, first != "/", first != "\\" else { return nil }
        let isPlain = address.unicodeScalars.allSatisfy { $0 != " " && $0 != "\\" }
        return isPlain && address.printable().utf8.elementsEqual(address.utf8) ? address : nil
    }

    /// A language as the attribute `lang` takes it; nil for anything else.
    static func language(_ json: JSON?) -> String? {
        guard let code = json?.string, (2...35).contains(code.utf8.count),
            code.utf8.allSatisfy({ byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D: true
                default: false
                }
            })
        else { return nil }
        return code
    }
}

extension String {
    /// The beginning of the text, with an ellipsis where it is longer.
    func shortened(to count: Int) -> String {
        self.count > count ? prefix(count - 1) + "…" : self
    }

    /// A message of an error as a sentence.
    var sentence: String {
        let end = last.map { ".!?…".contains($0) } ?? true ? "" : "."
        return prefix(1).uppercased() + dropFirst() + end
    }
}
