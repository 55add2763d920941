/**
 * A secret is planted, and every way out of an action is tried. Then everything is searched: what the command line prints, the manifest, the
 * bundles, the store's bytes.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { redactData } from '../../src/runtime/guarded-codec.ts';
import { keepSecret, redact, redactOutput, secretIn } from '../../src/secrets.ts';
import { project } from '../bundler/project.ts';
import { spawnCli } from '../support/cli.ts';
import { linkSelf } from './support/link.ts';

/** Has what JSON, URLs and base64 write differently. */
const CANARY = 'canary/"s3cr\\et"+with spaces&=';

const FILES = {
  'package.json': '{ "name": "planted", "type": "module" }',
  'src/credentials.ts': `import { defineCredential } from 'pawl';
export const bird = defineCredential({ key: 'bird', fields: ['song', 'nest'], public: ['nest'] });
`,
  'src/actions/sing.ts': `import { defineAction, getStepMetadata, getWritable } from 'pawl';
import { z } from 'zod';
import { bird } from '../credentials';

class SongError extends Error {
  constructor(message: string, readonly song: unknown, options?: ErrorOptions) { super(message, options); }
}

export const sing = defineAction({
  slug: 'sing',
  input: z.object({ how: z.string(), song: z.string().optional() }),
  output: z.any(),
  credentials: [bird],
  maxRetries: 1,
  retryAfter: 0,
  async run({ how }, credentials) {
    const { song, nest } = credentials.bird;
    const writer = () => getWritable<unknown>({ namespace: 'songs' }).getWriter();
    switch (how) {
      case 'message': throw new Error('no bird sings ' + song);
      case 'cause': throw new Error('no', { cause: new AggregateError([new Error(song)], song, { cause: { deep: [song] } }) });
      case 'field': throw new SongError('no', { [song]: song, list: [new Map([[song, song]])], url: encodeURIComponent(song) });
      case 'basic': throw new Error('Basic ' + btoa('robin:' + song));
      case 'json': throw new Error(JSON.stringify({ body: JSON.stringify({ song }) }));
      case 'bytes': throw new SongError('no', new TextEncoder().encode('<' + song + '>'));
      case 'text': throw song;
      case 'log': console.log('log', { song }, [song]); console.error(song); return { nest };
      case 'returned': return { list: [{ song }] };
      case 'returned bytes': return new TextEncoder().encode(song);
      case 'returned url': return 'https://sing.example/?song=' + encodeURIComponent(song);
      case 'chunk': await writer().write({ song }); return null;
      case 'chunk bytes': await writer().write(new TextEncoder().encode('a ' + song)); return null;
      case 'heartbeat': getStepMetadata().heartbeat({ song }); throw new Error('dead');
      case 'name': throw Object.assign(new Error('no'), { name: song });
      case 'late': setTimeout(() => { throw new Error('late ' + song); }, 0); return new Promise(() => {});
    }
  },
});
`,
  'src/workflows/concert.ts': `import { sing } from '../actions/sing';
/** What is caught, and at last what is not. */
export async function concert(hows: string[]) {
  'use workflow';
  const caught: unknown[] = [];
  for (const how of hows) {
    if (how === hows.at(-1)) caught.push(await sing.run({ how }));
    else await sing.run({ how }).catch((error) => caught.push([how, error]));
  }
  return caught;
}
`,
};

/** What would give the secret away. */
const FORMS = [
  inspect(CANARY).slice(1, -1),
  CANARY,
  JSON.stringify(CANARY).slice(1, -1),
  JSON.stringify(JSON.stringify(CANARY)).slice(3, -3),
  encodeURIComponent(CANARY),
  ...[0, 1, 2].map((pad) =>
    Buffer.from('x'.repeat(pad) + CANARY)
      .toString('base64')
      .slice(4, -4),
  ),
];

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('node_modules'))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

describe('a secret', () => {
  test('is in nothing that a run leaves or prints', async () => {
    const root = project(FILES, ['zod']);
    linkSelf(root);
    expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
    writeFileSync(join(root, '.env'), `BIRD_SONG='${CANARY}'\nBIRD_NEST="a tree with branches"\n`);
    const outputs: [string, string][] = [];
    const run = async (...argv: string[]): Promise<{ stdout: string; all: string }> => {
      const { stdout, stderr } = await spawnCli(argv, { cwd: root });
      outputs.push([argv.join(' '), stdout + stderr]);
      return { stdout, all: stdout + stderr };
    };
    const leaked = 'The credential bird.song is in the result of step sing, which is recorded.';
    const words: Record<string, string> = {
      message: 'no bird sings [credential bird.song]',
      cause: 'no',
      field: 'no',
      basic: 'Basic ',
      json: '{"body":"{\\"song\\":\\"[credential bird.song]\\"}"}',
      bytes: 'no',
      name: 'no',
      heartbeat: expect.stringContaining('The credential bird.song is in '),
      returned: leaked,
      'returned bytes': leaked,
      'returned url': leaked,
      chunk: 'The credential bird.song is in a chunk of a stream, which is recorded.',
      'chunk bytes': 'The credential bird.song is in a chunk of a stream, which is recorded.',
    };
    const hows = [...Object.keys(words), 'log'];
    const first = await run('run', 'concert', '--id', 'first', '--input', JSON.stringify(hows));
    const caught = JSON.parse(first.stdout) as [string, { message: string }][];
    expect(Object.fromEntries(caught.slice(0, -1).map(([how, { message }]) => [how, message]))).toEqual({
      ...words,
      basic: expect.stringMatching(/^Basic \S*\[credential bird\.song\]\S*$/),
    });
    expect(caught.at(-1)).toEqual({ nest: 'a tree with branches' });
    expect(first.all).toContain("log { song: '[credential bird.song]' } [ '[credential bird.song]' ]");
    expect((await run('run', 'concert', '--id', 'second', '--input', '["text"]')).all).toContain(
      '[credential bird.song]',
    );
    expect((await run('run', 'concert', '--id', 'third', '--input', '["late"]')).all).toContain(
      'late [credential bird.song]',
    );
    await run('inspect', 'first');
    await run('inspect', 'first', '--json');
    await run('inspect', 'second');
    await run('runs', '--json');
    for (const path of filesBelow(root))
      if (!path.endsWith('.env')) outputs.push([path, readFileSync(path).toString('latin1')]);
    expect(outputs.filter(([name]) => name.endsWith('pawl.db'))).toHaveLength(1);
    const found = outputs.flatMap(([what, text]) => (FORMS.some((form) => text.includes(form)) ? [what] : []));
    expect(found).toEqual([]);
  }, 240_000);
});

/** RFC 6749, 2.3.1 and appendix B, as strict as clients are. */
const oauthForm = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[-_.!~*'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');

describe('words for secrets', () => {
  test('short ones are whole words, and break no structure', () => {
    keepSecret('tst1', 'short.one');
    keepSecret('1700', 'short.two');
    keepSecret('443', 'short.port');
    expect(redact('a tst1 is the latst tst1700, 1700 times on 443 (tst1)')).toBe(
      'a [credential short.one] is the latst tst1700, [credential short.two] times on 443 ([credential short.one])',
    );
    expect(redactData('[{"a":1700,"tst1":1},"tst1"]')).toBe(
      '[{"a":1700,"[credential short.one]":1},"[credential short.one]"]',
    );
    expect(redactOutput('{"a":1700,"b":"tst1"}')).toBe('{"a":1700,"b":"tst1"}');
    expect(secretIn('tst1 1700')).toBeNull();
  });

  test('the longest counts where one is in another', () => {
    keepSecret('a-long-secret', 'nested.inner');
    keepSecret('a-long-secret-and-more', 'nested.outer');
    expect(redact('a-long-secret-and-more, a-long-secret')).toBe(
      '[credential nested.outer], [credential nested.inner]',
    );
    expect(secretIn('x a-long-secret y')).toBe('nested.inner');
  });

  test('those that are still asked for are kept, however many tokens come and go', () => {
    keepSecret('a-key-that-stays', 'kept.key');
    for (let token = 0; token < 300; token++) {
      keepSecret('a-key-that-stays', 'kept.key');
      keepSecret(`access-token-${token}-of-many`, 'kept.token');
    }
    expect(redact('a-key-that-stays access-token-299-of-many access-token-0-of-many')).toBe(
      '[credential kept.key] [credential kept.token] access-token-0-of-many',
    );
  });

  test.each([
    ['a form', (secret: string) => new URLSearchParams({ key: secret }).toString()],
    ['a URL', (secret: string) => new URL(`https://shop.example/?key=${secret}`).href],
    ['an OAuth header', (secret: string) => `Basic ${btoa(`some%2Did:${oauthForm(secret)}`)}`],
  ])('one is found as %s writes it', (_, write) => {
    const secret = "lin 'canary\\-of_this.test*";
    keepSecret(secret, 'written.key');
    const text = write(secret);
    expect(text).not.toContain(secret);
    expect(redact(text)).toContain('[credential written.key]');
    expect(secretIn(text)).toBe('written.key');
  });

  test('an empty one is none', () => {
    keepSecret('', 'empty.one');
    expect(redact('abc')).toBe('abc');
  });
});
