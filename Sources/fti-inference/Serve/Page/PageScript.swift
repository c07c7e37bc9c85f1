extension PageAsset {
    /// The script of all pages: it streams answers, keeps a token, and sends feedback without leaving the page. All of
    /// them work without it. It writes text as text; the only HTML that it inserts is the server's own.
    static let script = PageAsset(
        path: "/page.js", type: "text/javascript; charset=utf-8",
        text: #"""
            'use strict';
            const KEY = 'fti-token';
            const $ = (selector, root = document) => root.querySelector(selector);
            const make = (tag, className = '', text = '') =>
              Object.assign(document.createElement(tag), { className, textContent: text });
            const parsed = html => new DOMParser().parseFromString(html, 'text/html');

            // A token lives as long as the tab, and travels in a header only.
            const token = {
              get: () => sessionStorage.getItem(KEY),
              set: value => sessionStorage.setItem(KEY, value),
              forget: () => sessionStorage.removeItem(KEY),
            };
            const headers = accept => {
              const value = token.get();
              return value ? { Accept: accept, Authorization: 'Bearer ' + value } : { Accept: accept };
            };
            function showTokens() {
              for (const field of document.querySelectorAll('.token')) {
                field.hidden = !!token.get();
                $('input', field).disabled = field.hidden;
              }
              const forget = $('#forget');
              if (forget) forget.hidden = !token.get();
            }
            // Moves a typed token out of the form's fields.
            function fields(form) {
              const data = new URLSearchParams(new FormData(form));
              const typed = data.get('token')?.trim() ?? '';
              if (/^[!-~]+$/.test(typed)) token.set(typed);
              data.delete('token');
              return data;
            }
            async function failure(response) {
              if (response.status === 401) token.forget();
              const text = await response.text();
              let message;
              try { message = JSON.parse(text).error.message; } catch {
                message = $('.notice p', parsed(text))?.textContent;
              }
              return new Error(message || 'The server answered with status ' + response.status + '.');
            }

            // ---- Asking

            let running;
            async function ask(form) {
              running?.abort();
              const control = running = new AbortController();
              const question = form.elements.q.value.trim();
              const data = fields(form);
              $('article')?.remove();
              $('#intro')?.remove();
              for (const notice of document.querySelectorAll('main > .notice')) notice.remove();
              const article = make('article');
              const title = make('h1', question.length > 160 ? 'long' : '', question);
              title.dir = 'auto';
              title.tabIndex = -1;
              const text = make('div', 'text stream');
              text.dir = 'auto';
              text.setAttribute('aria-live', 'polite');
              text.setAttribute('aria-busy', 'true');
              const status = make('p', 'status');
              const state = make('span', 'busy', 'Reading the documents…');
              state.setAttribute('role', 'status');
              const stop = make('button', 'quiet', 'Stop');
              stop.type = 'button';
              stop.onclick = () => control.abort();
              status.append(state, stop);
              article.append(title, text, status);
              $('main').prepend(article);
              form.elements.q.value = '';
              $('label', form).textContent = 'Ask another question';
              scrollTo({ top: 0 });
              stop.focus({ preventScroll: true });
              try {
                const response = await fetch('/', { method: 'POST', body: data, signal: control.signal,
                  headers: headers('text/event-stream') });
                if (!response.ok) throw await failure(response);
                showTokens();
                for await (const event of events(response)) {
                  if (event.error) throw new Error(event.error.message);
                  if (event.text) {
                    state.textContent = 'Writing…';
                    text.append(event.text);
                  }
                  if (event.html) finish(article, event);
                }
                if (text.classList.contains('stream')) throw new Error('The answer was cut off.');
                if (document.activeElement === stop) title.focus({ preventScroll: true });
                status.remove();
              } catch (error) {
                if (running !== control) return;
                const stopped = control.signal.aborted;
                if (!form.elements.q.value) form.elements.q.value = question;
                text.setAttribute('aria-busy', 'false');
                stop.remove();
                state.className = '';
                if (stopped) { state.textContent = 'Stopped.'; } else {
                  state.remove();
                  const notice = make('div', 'notice');
                  notice.setAttribute('role', 'alert');
                  notice.append(make('p', '', error.message));
                  status.replaceWith(notice);
                }
                showTokens();
                form.elements.q.focus({ preventScroll: true });
              }
            }
            // The finished answer, as the server writes it; the text stays the element that is read aloud.
            function finish(article, event) {
              const done = $('article', parsed(event.html));
              const text = $('.text', article);
              const written = $('.text', done);
              text.classList.remove('stream');
              text.replaceChildren(...written.childNodes);
              text.setAttribute('aria-busy', 'false');
              while (written.nextSibling) article.append(written.nextSibling);
              document.title = event.title;
              if (event.path) history.pushState({}, '', event.path);
              shown = location.pathname;
              enhance(article);
            }
            async function* events(response) {
              const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
              let rest = '';
              for (;;) {
                const { value, done } = await reader.read();
                if (done) return;
                rest += value;
                const parts = rest.split('\n\n');
                rest = parts.pop();
                for (const part of parts) {
                  if (part.startsWith('data: ')) yield JSON.parse(part.slice(6));
                }
              }
            }

            // ---- Feedback

            async function sendFeedback(form) {
              const button = $('button', form);
              button.disabled = true;
              $('.notice', form)?.remove();
              let notice;
              try {
                const response = await fetch(form.action, { method: 'POST', body: fields(form),
                  headers: headers('text/html') });
                if (!response.ok) throw await failure(response);
                notice = $('.notice', parsed(await response.text()));
                notice.setAttribute('role', 'status');
                notice.tabIndex = -1;
                $('a', notice)?.parentElement.remove();
                form.replaceWith(notice);
                notice.focus({ preventScroll: true });
              } catch (error) {
                notice = make('div', 'notice');
                notice.setAttribute('role', 'alert');
                notice.append(make('p', '', error.message));
                form.prepend(notice);
                button.disabled = false;
              }
              showTokens();
            }

            // ---- Pages that need a token

            async function unlock() {
              if (!$('[data-locked]') || !token.get()) return;
              const response = await fetch(location.href, { headers: headers('text/html') });
              if (response.status === 401) {
                token.forget();
                return showTokens();
              }
              const page = parsed(await response.text());
              document.title = page.title;
              $('main').replaceWith($('main', page));
              enhance(document);
              const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
              target?.scrollIntoView();
              target?.focus({ preventScroll: true });
            }

            function enhance(root) {
              showTokens();
              const form = $('#ask', root);
              form?.addEventListener('submit', event => {
                event.preventDefault();
                if (form.elements.q.value.trim()) ask(form);
              });
              form?.elements.q.addEventListener('keydown', event => {
                if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
                event.preventDefault();
                form.requestSubmit();
              });
              const feedback = $('#feedback form', root);
              feedback?.addEventListener('submit', event => {
                event.preventDefault();
                sendFeedback(feedback);
              });
              const unlocking = $('form[data-locked]', root);
              unlocking?.addEventListener('submit', event => {
                event.preventDefault();
                fields(unlocking);
                unlock();
              });
              // A citation opens the passage that it leads to.
              for (const link of root.querySelectorAll('.cite')) {
                link.addEventListener('click', () => {
                  const details = $(link.hash + ' details');
                  if (details) details.open = true;
                });
              }
            }

            let shown = location.pathname;
            addEventListener('popstate', () => {
              if (location.pathname !== shown) location.reload();
            });
            $('header a[href="#served"]').addEventListener('click', () => {
              $('#served details').open = true;
            });
            $('#forget')?.addEventListener('click', () => { token.forget(); showTokens(); });
            enhance(document);
            unlock();

            """#)
}
