extension PageAsset {
    /// The style of all pages. Text has a contrast of at least 4.5 to 1 in both schemes; a test computes it.
    static let style = PageAsset(
        path: "/page.css", type: "text/css; charset=utf-8",
        text: """
            :root {
              color-scheme: light dark;
              --paper: #fbfaf7; --raised: #ffffff; --ink: #22252a; --soft: #5b616b; --line: #dedad2;
              --accent: #1c5d80; --on-accent: #ffffff; --mark: #f6edcf; --warn: #8a3b12;
              --warn-paper: #fbefe6; --field: #8a857b;
              --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia,
                "Liberation Serif", serif;
              --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
              --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
            }
            @media (prefers-color-scheme: dark) {
              :root {
                --paper: #16181b; --raised: #1e2125; --ink: #e5e2db; --soft: #a3a7ae; --line: #34383e;
                --accent: #8cc4e6; --on-accent: #10202b; --mark: #37311c; --warn: #f0a679;
                --warn-paper: #2e221a; --field: #7d828a;
              }
            }
            * { box-sizing: border-box; }
            html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1.5rem; }
            body {
              margin: 0; background: var(--paper); color: var(--ink);
              font: 1rem/1.55 var(--sans); overflow-wrap: anywhere;
              display: flex; flex-direction: column; min-height: 100vh; min-height: 100dvh;
            }
            body > header, main, body > footer {
              width: 100%; max-width: 44rem; margin: 0 auto; padding: 0 1.25rem;
            }
            body > header {
              display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline;
              justify-content: space-between; padding-top: 1.25rem; font-size: .875rem;
            }
            main { flex: 1; padding-top: 2.75rem; padding-bottom: 3.5rem; }
            body > footer { width: calc(100% - 2.5rem); max-width: 41.5rem; padding: 1.25rem 0;
              border-top: 1px solid var(--line); font-size: .875rem; }
            a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: .18em; }
            a:hover { text-decoration-thickness: 2px; }
            .home { font-weight: 600; text-decoration: none; color: var(--ink); }
            .skip { position: absolute; left: -99rem; }
            .skip:focus { left: 1rem; top: .5rem; background: var(--raised); padding: .5rem .75rem; }
            :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
            [tabindex="-1"]:focus-visible { outline: none; }
            h1, h2 { font-family: var(--serif); font-weight: 600; line-height: 1.2; text-wrap: balance; }
            h1 { font-size: clamp(1.6rem, 1.25rem + 1.9vw, 2.25rem); margin: 0 0 1rem; }
            h1.long { font-size: 1.25rem; line-height: 1.4; text-wrap: auto; white-space: pre-line; }
            h2 { font-size: 1.25rem; margin: 2.75rem 0 .75rem; }
            h3 { font-size: 1rem; font-weight: 600; line-height: 1.4; margin: 0; }
            p { margin: 0 0 .9em; }
            small, .soft { color: var(--soft); font-size: .875rem; }
            .lead { color: var(--soft); margin-bottom: 2rem; }
            .text {
              font: 1.125rem/1.65 var(--serif); unicode-bidi: isolate;
            }
            .text p, .text li { white-space: pre-line; }
            .text ul, .text ol { padding-inline-start: 1.6em; margin: 0 0 .9em; }
            .text .subhead { font-weight: 600; margin-top: 1.2em; }
            .text > :last-child { margin-bottom: 0; }
            .text.stream { white-space: pre-wrap; min-height: 1.65em; }
            pre, code { font-family: var(--mono); font-size: .875em; overflow-wrap: normal; }
            pre {
              overflow-x: auto; background: var(--raised); border: 1px solid var(--line);
              border-radius: 6px; padding: .75rem .9rem; margin: 0 0 .9em; line-height: 1.5;
            }
            .scroll { overflow-x: auto; margin: 0 0 .9em; }
            table { border-collapse: collapse; font: .9375rem/1.45 var(--sans); }
            th, td { text-align: start; vertical-align: top; padding: .4rem 1.25rem .4rem 0;
              border-bottom: 1px solid var(--line); overflow-wrap: normal; }
            th { font-weight: 600; }
            :not(pre) > code { background: var(--raised); padding: .1em .3em; border-radius: 3px;
              overflow-wrap: anywhere; }
            .cite { font: .75em/1 var(--sans); vertical-align: .25em; text-decoration: none;
              padding: .15em; white-space: nowrap; }
            .meta { color: var(--soft); font-size: .875rem; margin: 1rem 0 0; }
            .meta > :not(:last-child)::after { content: " · "; display: inline-block; white-space: pre; }
            .notice {
              border-left: 3px solid var(--warn); background: var(--warn-paper); color: var(--ink);
              padding: .75rem 1rem; margin: 0 0 1.5rem; border-radius: 0 6px 6px 0;
            }
            .notice strong { color: var(--warn); }
            .notice :last-child { margin-bottom: 0; }
            .thanks { border-left-color: var(--accent); background: var(--raised); }
            .thanks strong { color: var(--ink); }
            form { margin: 0; }
            label, legend { font-weight: 600; font-size: .9375rem; padding: 0; }
            label small { font-weight: 400; }
            textarea, input[type=password], select {
              display: block; width: 100%; margin: .35rem 0 1rem; padding: .6rem .75rem;
              font: inherit; color: inherit; background: var(--raised);
              border: 1px solid var(--field); border-radius: 6px;
            }
            textarea { resize: vertical; min-height: 3.25rem; }
            #q { font: 1.125rem/1.5 var(--serif); min-height: 4.75rem; }
            select { text-overflow: ellipsis; }
            button {
              font: 600 1rem/1.2 var(--sans); padding: .7rem 1.4rem; border-radius: 6px; cursor: pointer;
              border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent);
            }
            button:hover { filter: brightness(1.08); }
            button.quiet { background: transparent; color: var(--accent); padding: .45rem 1rem;
              font-size: .9375rem; }
            article + #ask { margin-top: 2.5rem; padding-top: 2rem; border-top: 1px solid var(--line); }
            fieldset { border: 0; margin: 0 0 1rem; padding: 0; }
            .choices { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .5rem; }
            .choices label { display: inline-flex; gap: .5rem; align-items: center; cursor: pointer;
              font-weight: 400; padding: .5rem 1rem; border: 1px solid var(--field); border-radius: 6px; }
            .choices label:has(:checked) { border-color: var(--accent);
              box-shadow: inset 0 0 0 1px var(--accent); }
            .choices input { accent-color: var(--accent); margin: 0; }
            .sources { list-style: none; margin: 0; padding: 0; }
            .sources > li { padding: 1rem 0; border-top: 1px solid var(--line);
              border-radius: 2px; }
            .sources > li:target { background: var(--mark); box-shadow: 0 0 0 .75rem var(--mark);
              border-color: transparent; }
            .number { color: var(--soft); font-weight: 400; margin-inline-end: .35em; }
            .trail { color: var(--soft); font-size: .875rem; margin: .1rem 0 .4rem; }
            .sources .text, .document .text { font-size: 1rem; line-height: 1.6; }
            summary { cursor: pointer; color: var(--accent); font-size: .9375rem; padding: .25rem 0;
              width: fit-content; }
            details[open] > summary { margin-bottom: .5rem; }
            details > .text { border-inline-start: 2px solid var(--line); padding-inline-start: 1rem; }
            article > details { border-top: 1px solid var(--line); padding: .6rem 0; }
            article > details > .sources > li:first-child { border-top: 0; }
            #feedback form { padding: .5rem 0 1rem; }
            .document > .text { padding: .6rem 1rem; border-inline-start: 3px solid transparent;
              color: var(--soft); }
            .document > .passage { background: var(--mark); border-color: var(--accent); color: var(--ink);
              border-radius: 0 6px 6px 0; padding: 1rem; margin: .4rem 0; scroll-margin-top: 4rem; }
            dl { display: grid; grid-template-columns: minmax(6.5rem, max-content) 1fr; gap: .3rem 1.25rem;
              margin: .75rem 0; font-size: .875rem; }
            dt { color: var(--soft); }
            dd { margin: 0; }
            .columns { columns: 15rem 2; padding-inline-start: 1.2rem; font-size: .9375rem; }
            [hidden] { display: none !important; }
            .status { display: flex; gap: 1rem; align-items: center; min-height: 2.5rem; margin: 1rem 0 0; }
            .busy::before { content: ""; display: inline-block; width: .55em; height: .55em;
              margin-inline-end: .6em; border-radius: 50%; background: var(--accent);
              animation: pulse 1.4s ease-in-out infinite; }
            @keyframes pulse { 50% { opacity: .25; } }
            @media (prefers-reduced-motion: reduce) { .busy::before { animation: none; } }
            @media (max-width: 30rem) {
              main { padding-top: 1.75rem; }
              dl { grid-template-columns: 1fr; gap: 0; }
              dd { margin-bottom: .5rem; }
              #ask button { width: 100%; }
            }
            @media (forced-colors: active) { .passage, .notice { border: 2px solid; } }
            @media print { #ask, #feedback, .skip, .status { display: none; } }

            """)
}
