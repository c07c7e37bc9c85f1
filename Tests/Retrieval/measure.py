#!/usr/bin/env python3
"""Measures what is found and what is answered on real manuals, beside BM25 over the same chunks.

    measure.py BIN CORPORA [--seeds 5] [--embed-url URL --dimension N | --model FOLDER] [--json FILE]

BIN holds the release executables, CORPORA the folders `postgresql` and `fastapi`. Needs numpy and snowballstemmer. Questions,
labels, preferences, sentences that answer and questions that the manuals do not answer are in the folders beside this file.
"""
import argparse, json, math, os, re, shutil, subprocess, sys, tempfile
import numpy as np
import snowballstemmer

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument('bin'); ap.add_argument('corpora'); ap.add_argument('--seeds', type=int, default=5)
ap.add_argument('--only'); ap.add_argument('--embed-url'); ap.add_argument('--model', help='the folder of a sentence embedder, for the embedder bert'); ap.add_argument('--dimension', type=int, default=384)
ap.add_argument('--json'); ap.add_argument('--verbose', action='store_true')
args = ap.parse_args()
HERE = os.path.dirname(os.path.abspath(__file__)); BIN = os.path.abspath(args.bin)
STOP = set("""a about above after again against all am an and any are aren as at be because been before being below
between both but by can cannot could couldn d did didn do does doesn doing don down during each few for from further had
hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it its itself just let ll
m me more most mustn my myself no nor not now of off on once only or other ought our ours ourselves out over own re s same
shan she should shouldn so some such t than that the their theirs them themselves then there these they this those through
to too under until up ve very was wasn we were weren what when where which while who whom why will with won would wouldn
you your yours yourself yourselves""".split())
stemmer = snowballstemmer.stemmer('english'); memo = {}


def lines(corpus, name):
    path = os.path.join(HERE, corpus, name)
    return [json.loads(l) for l in open(path, encoding='utf-8') if l.strip()] if os.path.exists(path) else []


def stems(text):
    out = []
    for w in re.findall(r'[^\W_]+', text.lower()):
        if w in STOP: continue
        if w not in memo: memo[w] = stemmer.stemWord(w)
        out.append(memo[w])
    return out


def bm25(rows, questions):
    """For each question the first ten rows, by title, headings and text."""
    docs = [stems('\n'.join(([r['title']] if r['title'] not in r['headings'] else []) + r['headings'] + [r['text']])) for r in rows]
    n, length, post = len(docs), np.array([len(d) for d in docs], float), {}
    norm = 1.2 * (.25 + .75 * length / length.mean())
    for i, d in enumerate(docs):
        c = {}
        for w in d: c[w] = c.get(w, 0) + 1
        for w, m in c.items(): post.setdefault(w, []).append((i, m))
    out = []
    for q in questions:
        s = np.zeros(n)
        for w in set(stems(q)):
            l = post.get(w)
            if l:
                i, m = np.array([a for a, _ in l]), np.array([b for _, b in l], float)
                s[i] += math.log(1 + (n - len(l) + .5) / (len(l) + .5)) * m * 2.2 / (m + norm[i])
        out.append(list(np.argsort(-s, kind='stable')[:10]))
    return out


def figures(ranks):
    r = np.array(ranks, float)
    return {'R@1': float((r < 1).mean()), 'R@5': float((r < 5).mean()), 'R@10': float((r < 10).mean()), 'MRR@10': float(np.where(r < 10, 1 / (r + 1), 0).mean())}


def text(f): return '  '.join('%s %.3f' % x for x in f.items())


def interval(values):
    rng = np.random.default_rng(1); v = np.array(values, float)
    m = np.sort([v[rng.integers(0, len(v), len(v))].mean() for _ in range(2000)])
    return '%+.3f [%+.3f, %+.3f]' % (v.mean(), m[50], m[1949])


def one(s): return ' '.join(s.split())


def answers(reply, marks):
    """Whether the first sentence or block that is quoted holds a marked sentence, or at least half of one."""
    got = one(reply)
    return any(m in got or (got in m and 2 * len(got) >= len(m)) for m in map(one, marks))


def measure(corpus):
    work = tempfile.mkdtemp(prefix='fti-retrieval-'); env = dict(os.environ, FTI_REPO=work + '/repo', NO_COLOR='1')
    if args.embed_url: env['FTI_EMBED_URL'] = args.embed_url

    def call(name, *a, stdin=None):
        p = subprocess.run([os.path.join(BIN, name), *a], capture_output=True, text=True, env=env, cwd=work, input=stdin)
        if p.returncode: sys.exit('%s %s: exit code %d\n%s' % (name, ' '.join(a), p.returncode, p.stderr))
        return p.stdout
    qs, unanswerable, marks = lines(corpus, 'questions.jsonl'), lines(corpus, 'unanswerable.jsonl'), {}
    for a in lines(corpus, 'answers.jsonl'): marks.setdefault(a['id'], []).extend(a['sentences'])
    embed = 'embed: {url: %s, model: default, dimension: %d}\n' % (json.dumps(args.embed_url), args.dimension) if args.embed_url else ''
    if args.model: embed = 'embed: {name: bert, model: models/embedder}\n'
    open(work + '/f.yaml', 'w').write('ref: features/prod\nsources:\n  - files: %s\n%s' % (json.dumps(os.path.abspath(os.path.join(args.corpora, corpus))), embed))
    call('ftictl', 'init', env['FTI_REPO'])
    if args.model: call('ftictl', 'put', 'models/embedder', os.path.abspath(args.model))
    call('fti-feature', 'run', 'f.yaml', '--no-progress')
    call('ftictl', 'get', 'features/prod', '-o', 'rows')
    rows = [json.loads(l) for l in open(work + '/rows/rows.jsonl', encoding='utf-8')]
    sections = [(r['document'], r['section']) for r in rows]
    right = [{(a['document'], a['section']) for a in q['answers']} for q in qs]

    def train(name, more):
        open('%s/%s.yaml' % (work, name), 'w').write('features: features/prod\nquestions: %s\nmodel: models/%s\ndatasets: {sft: datasets/%s-sft, dpo: datasets/%s-dpo}\n%s' % (
            json.dumps(os.path.join(HERE, corpus, 'questions.jsonl')), name, name, name, more))
        out = json.loads(call('fti-training', 'run', name + '.yaml', '--json', '--no-progress').splitlines()[-1])
        held = [json.loads(l)['messages'][0]['content'] for l in call('ftictl', 'cat', 'datasets/%s-sft:heldout.jsonl' % name).splitlines()]
        return out, held

    def ask(model, which, *more):
        out = call('fti-inference', 'ask', '--stdin', '-k', '10', '--json', '--features', 'features/prod', '--model', model, *more,
                   stdin='\n'.join(json.dumps({'id': 1, 'question': q}) for q in which) + '\n')
        return [json.loads(l) for l in out.splitlines()]

    def rank(reply, i):
        for n, s in enumerate(reply['sources']):
            if (s['document'], s['section']) in right[i]: return n
        return 10 ** 6
    texts = [q['question'] for q in qs]
    base = [next((n for n, j in enumerate(o) if sections[j] in right[i]), 10 ** 6) for i, o in enumerate(bm25(rows, texts))]
    prefs = os.path.join(HERE, corpus, 'preferences.jsonl'); prefs = 'preferences: %s\n' % json.dumps(prefs) if os.path.exists(prefs) else ''
    train('untrained', prefs + 'split: {heldout: 0.5, seed: 1}\nsft: {epochs: 0}\ndpo: {epochs: 0}\n')
    replies = ask('models/untrained', texts); ranks = [rank(r, i) for i, r in enumerate(replies)]
    print('%s: %d chunks' % (corpus, len(rows)))
    print('  BM25 stems   ', text(figures(base)))
    print('  untrained    ', text(figures(ranks)), ' R@5 less BM25', interval(np.array(ranks) < 5).replace('+', '', 1) and interval((np.array(ranks) < 5).astype(int) - (np.array(base) < 5)))
    for mode in ('vector', 'lexical'):
        print('  mode %-8s' % mode, text(figures([rank(r, i) for i, r in enumerate(ask('models/untrained', texts, '--mode', mode))])))
    index = {q['question']: i for i, q in enumerate(qs)}; pairs, kinds = [], []
    for seed in range(1, args.seeds + 1):
        out, held = train('seed%d' % seed, prefs + 'split: {heldout: 0.5, seed: %d}\n' % seed)
        kinds.append('untrained' if out.get('untrained') else 'dropped DPO' if out.get('preferencesDropped') else 'trained')
        pairs += [(index[h], rank(r, index[h])) for h, r in zip(held, ask('models/seed%d' % seed, held))]
    if pairs:
        print('  held out, untrained', text(figures([ranks[i] for i, _ in pairs])))
        print('  held out, trained  ', text(figures([r for _, r in pairs])), ' '.join(kinds))
        print('  held out, BM25     ', text(figures([base[i] for i, _ in pairs])))
    none = ask('models/untrained', [q['question'] for q in unanswerable])
    print('  declined: %d of %d unanswerable, %d of %d answerable' % (sum(not r['answered'] for r in none), len(none), sum(not r['answered'] for r in replies), len(replies)))
    marked = [(q, r) for q, r in zip(qs, replies) if q['id'] in marks]
    first = [answers(r.get('quotes', [r['answer']])[0] if r['answered'] else '', marks[q['id']]) for q, r in marked]
    some = [any(answers(t, marks[q['id']]) for t in r.get('quotes', [r['answer']])) for q, r in marked]
    print('  first quote answers: %d of %d; one of the quotes: %d' % (sum(first), len(marked), sum(some)))
    if args.verbose:
        for r in none:
            if r['answered']: print('    answered:', r['question'], '->', r['answer'][:100])
        for r in replies:
            if not r['answered']: print('    declined:', r['question'], '--', r['reason'])
    shutil.rmtree(work)
    return {'bm25': base, 'untrained': ranks, 'trained': pairs}


result = {c: measure(c) for c in ([args.only] if args.only else ['postgresql', 'fastapi'])}
if args.json: json.dump(result, open(args.json, 'w'))
