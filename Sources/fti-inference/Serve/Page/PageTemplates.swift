import Mustache

/// The templates of the pages.
struct PageTemplates: Sendable {
    private let library: MustacheLibrary

    /// The name under which Mustache knows ``PageContentType``.
    private static let contentType = "PAGE"

    /// Parses the templates.
    init() throws {
        MustacheContentTypes.register(PageContentType(), named: Self.contentType)
        var library = MustacheLibrary()
        for (name, text) in Self.texts {
            try library.register("{{% CONTENT_TYPE:\(Self.contentType)}}\n" + text, named: name)
        }
        self.library = library
    }

    /// Fills in a template.
    func render(_ name: Name, _ values: Any) -> HTML {
        HTML(trusted: library.render(values, withTemplate: name.rawValue) ?? "")
    }

    /// The templates that pages are made of, and those that others include.
    enum Name: String {
        case layout, ask, answer, source, locked, notice, served, token, sourceItem, feedback
    }

    private static let texts: [(name: String, text: String)] = [
        (Name.layout.rawValue, layout), (Name.ask.rawValue, ask), (Name.answer.rawValue, answer),
        (Name.source.rawValue, source), (Name.locked.rawValue, locked),
        (Name.notice.rawValue, notice), (Name.served.rawValue, served),
        (Name.token.rawValue, token), (Name.sourceItem.rawValue, sourceItem),
        (Name.feedback.rawValue, feedback),
    ]

    private static let layout = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex, nofollow">
        <title>{{title}}</title>
        <link rel="stylesheet" href="{{style}}">
        <link rel="icon" type="image/svg+xml" href="{{icon}}">
        <script src="{{script}}" defer></script>
        </head>
        <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header><a class="home" href="/">Ask the documents</a>
        <a class="soft" href="#served">{{ref}}, transaction {{transaction}}</a></header>
        <main id="main" tabindex="-1">
        {{{body}}}
        </main>
        <footer id="served">
        {{{served}}}
        </footer>
        </body>
        </html>

        """

    private static let notice = """
        <div class="notice{{#isThanks}} thanks{{/isThanks}}"{{#isAlert}} role="alert"{{/isAlert}}>
        {{#headline}}<p><strong>{{headline}}</strong></p>{{/headline}}
        <p>{{message}}</p>
        {{#link}}<p><a href="{{link}}">{{linkText}}</a></p>{{/link}}
        </div>

        """

    private static let token = """
        <div class="token">
        <label for="{{field}}">Token</label>
        <input id="{{field}}" name="token" type="password" autocomplete="current-password" required>
        </div>

        """

    private static let ask = """
        {{#notices}}{{>notice}}{{/notices}}
        {{#isFirst}}
        <div id="intro">
        <h1>Ask the documents</h1>
        <p class="lead">Answers cite the passages that they come from. Follow a citation to read it in its place.</p>
        </div>
        {{/isFirst}}
        {{{article}}}
        <form id="ask" method="post" action="/">
        <label for="q">{{label}}</label>
        <textarea id="q" name="q" rows="2" required enterkeyhint="send" dir="auto">
        {{{question}}}</textarea>
        {{#askToken}}{{>token}}{{/askToken}}
        <button>Ask</button>
        </form>

        """

    private static let answer = """
        <article>
        <h1{{#isLong}} class="long"{{/isLong}} dir="auto" tabindex="-1">{{question}}</h1>
        <div class="text" dir="auto">
        {{{text}}}
        </div>
        <p class="meta"><span>{{writer}}</span>\
        <time datetime="{{time}}">{{timeText}}</time>\
        {{#path}}<a href="{{path}}">Link to this answer</a>{{/path}}</p>
        {{#remark}}<p class="meta">{{remark}}</p>{{/remark}}
        {{#hasSources}}
        <h2>Sources</h2>
        <ol class="sources">
        {{#cited}}{{>sourceItem}}{{/cited}}
        </ol>
        {{/hasSources}}
        {{#hasOthers}}
        <details>
        <summary>{{othersTitle}}</summary>
        <ol class="sources">
        {{#others}}{{>sourceItem}}{{/others}}
        </ol>
        </details>
        {{/hasOthers}}
        {{#feedback}}{{>feedback}}{{/feedback}}
        <details>
        <summary>Where this answer comes from</summary>
        <dl>
        {{#origins}}<dt>{{name}}</dt><dd>{{#isCode}}<code>{{value}}</code>{{/isCode}}\
        {{^isCode}}{{value}}{{/isCode}}</dd>
        {{/origins}}
        </dl>
        {{#record}}<p class="soft"><a href="{{record}}">This answer as JSON</a>, for
        <code>ftictl explain</code></p>{{/record}}
        </details>
        </article>

        """

    private static let sourceItem = """
        <li id="source-{{number}}" tabindex="-1">
        <h3><span class="number">[{{number}}]</span><a href="{{link}}" dir="auto">{{title}}</a></h3>
        {{#trail}}<p class="trail" dir="auto">{{trail}}</p>{{/trail}}
        <details{{#isOpen}} open{{/isOpen}}>
        <summary>Passage</summary>
        <div class="text" dir="auto"{{#language}} lang="{{language}}"{{/language}}>
        {{{text}}}
        </div>
        </details>
        <p class="meta"><span>{{document}}</span>{{#page}}<span>page {{page}}</span>{{/page}}\
        {{#address}}<a href="{{address}}" rel="noopener noreferrer nofollow">Original</a>{{/address}}\
        {{#ranks}}<span>{{ranks}}</span>{{/ranks}}</p>
        </li>

        """

    private static let feedback = """
        <details id="feedback">
        <summary>Was this answer useful?</summary>
        <form method="post" action="{{action}}">
        <fieldset>
        <legend>Your judgement</legend>
        <div class="choices">
        <label><input type="radio" name="rating" value="good"> Good</label>
        <label><input type="radio" name="rating" value="bad"> Bad</label>
        </div>
        </fieldset>
        <label for="better">A better answer <small>optional</small></label>
        <textarea id="better" name="better" rows="3" dir="auto"></textarea>
        {{#hasPassages}}
        <label for="passage">The passage that it should have cited <small>optional</small></label>
        <select id="passage" name="passage">
        <option value="">None in particular</option>
        {{#passages}}<option value="{{value}}">{{label}}</option>
        {{/passages}}
        </select>
        {{/hasPassages}}
        <label for="comment">A comment <small>optional</small></label>
        <textarea id="comment" name="comment" rows="2" dir="auto"></textarea>
        <input type="hidden" name="answer" value="{{{record}}}">
        {{#feedbackToken}}{{>token}}{{/feedbackToken}}
        <button class="quiet">Send feedback</button>
        </form>
        </details>

        """

    private static let locked = """
        {{#notices}}{{>notice}}{{/notices}}
        <h1>{{heading}}</h1>
        <p class="lead">This server shows answers and documents to those who have a token.</p>
        <form method="post" action="{{action}}" data-locked>
        {{#fields}}<input type="hidden" name="{{name}}" value="{{{value}}}">
        {{/fields}}
        {{#lockToken}}{{>token}}{{/lockToken}}
        <button>Show it</button>
        </form>

        """

    private static let source = """
        {{#notices}}{{>notice}}{{/notices}}
        <article class="document">
        <h1 dir="auto">{{title}}</h1>
        {{#trail}}<p class="trail" dir="auto">{{trail}}</p>{{/trail}}
        {{#hasEarlier}}<p class="soft">The section begins earlier.</p>{{/hasEarlier}}
        {{#chunks}}
        <div class="text{{#isPassage}} passage{{/isPassage}}"\
        {{#isPassage}} id="passage" tabindex="-1" role="region" aria-label="The passage"{{/isPassage}} \
        dir="auto"{{#language}} lang="{{language}}"{{/language}}>
        {{{html}}}
        </div>
        {{/chunks}}
        {{#hasLater}}<p class="soft">The section goes on.</p>{{/hasLater}}
        <p class="meta">{{#address}}<a href="{{address}}" rel="noopener noreferrer nofollow">Original document</a>\
        {{/address}}{{#back}}<a href="{{back}}">Back to the answer</a>{{/back}}</p>
        <h2>About this passage</h2>
        <dl>
        {{#attributes}}<dt>{{name}}</dt><dd dir="auto">{{value}}</dd>
        {{/attributes}}
        </dl>
        {{#hasSections}}
        <nav aria-labelledby="sections">
        <h2 id="sections">Other sections of this document</h2>
        <ul class="columns">
        {{#sections}}<li><a href="{{link}}" dir="auto">{{title}}</a></li>
        {{/sections}}
        </ul>
        </nav>
        {{/hasSections}}
        </article>

        """

    private static let served = """
        {{#notices}}{{>notice}}{{/notices}}
        <details{{#isOpen}} open{{/isOpen}}>
        <summary>What is served</summary>
        <dl>
        {{#members}}<dt>{{name}}</dt><dd>{{#isCode}}<code>{{value}}</code>{{/isCode}}\
        {{^isCode}}{{value}}{{/isCode}}</dd>
        {{/members}}
        </dl>
        <p class="soft"><code>ftictl show {{example}}</code> tells more of a version. For programs:
        <a href="/readyz">state</a>{{#showsMetrics}}, <a href="/metrics">metrics</a>{{/showsMetrics}}{{#showsAPI}}, \
        <a href="/v1/models">models</a>{{/showsAPI}}.</p>
        </details>
        <button id="forget" class="quiet" type="button" hidden>Forget the token</button>

        """
}
