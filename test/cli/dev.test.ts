/** `pawl dev` as a process: its worker is always the newest one that builds, and goes when it goes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { EventStore } from '../../src/store/port.ts';
import { CLI } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';

const source = (answer: string): string => `import { createHook } from 'pawl';

async function say() {
  'use step';
  return '${answer}';
}

export async function ask(token: string) {
  'use workflow';
  const before = await say();
  await createHook({ token });
  return before + ' ' + (await say()) + ' ${answer}';
}
`;

mkdirSync(join(ROOT, '.cache'), { recursive: true });
const made: { root: string; child: ChildProcess; store: EventStore }[] = [];
afterEach(async () => {
  for (const { root, child, store } of made.splice(0)) {
    child.kill('SIGKILL');
    await store.close();
    rmSync(root, { recursive: true, force: true });
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts `pawl dev`; `says` resolves with what it printed up to a text that it had not printed before. */
async function dev(...options: string[]) {
  const root = mkdtempSync(join(ROOT, '.cache/dev-'));
  mkdirSync(join(root, 'src'));
  mkdirSync(join(root, '.pawl'));
  writeFileSync(join(root, 'src/main.ts'), source('one'));
  const store = await openStore(`sqlite:${join(root, '.pawl/pawl.db')}`);
  const child = spawn(process.execPath, [CLI, 'dev', ...options], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
  });
  made.push({ root, child, store });
  let unread = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      unread += text;
      for (const listener of listeners) listener();
    });
  }
  const says = (pattern: RegExp): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        const end = pattern.exec(unread);
        if (!end) return;
        listeners.delete(look);
        const read = unread.slice(0, end.index + end[0].length);
        unread = unread.slice(read.length);
        resolve(read);
      };
      listeners.add(look);
      look();
    });
  // Both streams are closed when nobody holds them any more, the worker neither.
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const write = (text: string): void => writeFileSync(join(root, 'src/main.ts'), text);
  const start = (id: string): Promise<unknown> =>
    store.createRun({
      id,
      workflowId: 'src/main.ts#ask',
      seed: id,
      bundleHash: null,
      input: `1[[1],"${id}"]`,
      at: Date.now(),
    });
  const until = (id: string, is: (log: string[], output: string | null) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = async (): Promise<void> => {
        const [run, log] = await Promise.all([store.getRun(id), store.readEvents(id)]);
        if (
          !is(
            log.map(({ type }) => type),
            run?.output ?? null,
          )
        )
          return;
        unsubscribe();
        resolve();
      };
      const unsubscribe = store.subscribe(() => void look().catch(reject));
      look().catch(reject);
    });
  return { child, closed, says, write, start, until, store };
}

test('works on what builds, and leaves runs in flight on their code', async () => {
  const { child, closed, says, write, start, until, store } = await dev();
  await says(/works on sqlite:.*: 1 workflow, 1 step/);
  await start('a');
  await until('a', (log) => log.includes('hook_created'));

  write(source('two'));
  await says(/works on/);
  await start('b');
  await until('b', (log) => log.includes('hook_created'));

  // What does not build harms nobody.
  write(source('three').replace('async function say', 'function say'));
  expect(await says(/watching for changes/)).toContain('PAWL1002');
  for (const id of ['a', 'b']) await store.deliverHook(id, '1["go"]', Date.now());
  // Steps come from the build at hand, workflow code from that with which the run began.
  await until('a', (_, output) => output === '1["one two one"]');
  await until('b', (_, output) => output === '1["two two two"]');

  write(source('four'));
  await says(/works on/);
  child.kill('SIGINT');
  expect(await closed).toBe(0);
});

test('takes its worker along when it is killed', async () => {
  const { child, closed, says } = await dev();
  await says(/works on/);
  child.kill('SIGKILL');
  await closed;
  expect(child.signalCode).toBe('SIGKILL');
});

test('says when its worker ends by itself, and starts another one with the next change', async () => {
  const { says, write } = await dev();
  const [, pid] = /worker (\d+) works on/.exec(await says(/works on/)) as RegExpExecArray;
  process.kill(Number(pid), 'SIGTERM');
  await says(/the worker ended with exit code 143; the next change that builds starts another/);
  write(source('two'));
  await says(/works on/);
});

test('takes requests to webhooks with --port, at the same place after each change', async () => {
  const port = await freePort();
  const { child, closed, says, write, start, until } = await dev('--port', String(port));
  const webhooks = (answer: string): string => `import { createWebhook } from 'pawl';
    async function tell(url: string) { 'use step'; console.log('send to', url); }
    export async function ask(token: string) {
      'use workflow';
      const webhook = createWebhook();
      await tell(webhook.url);
      return token + ' ${answer} ' + (await (await webhook).text());
    }`;
  const told = async (): Promise<string> =>
    (/send to (http:\S+)/.exec(await says(/send to \S+\s/)) as RegExpExecArray)[1] as string;
  const works = new RegExp(`takes requests at http://127\\.0\\.0\\.1:${port}`);
  await says(works);
  write(webhooks('one'));
  await says(works);
  await start('a');
  const first = await told();
  expect(first.startsWith(`http://127.0.0.1:${port}/.well-known/pawl/v1/webhook/wh_`)).toBe(true);
  // The worker that was asked to end has given the port free before the next one takes it.
  write(webhooks('two'));
  await says(works);
  expect((await fetch(first, { method: 'POST', body: 'yes' })).status).toBe(202);
  await until('a', (_, output) => output === '1["a one yes"]');
  expect((await fetch(first, { method: 'POST', body: 'again' })).status).toBe(410);
  child.kill('SIGINT');
  expect(await closed).toBe(0);
  await expect(fetch(first)).rejects.toThrow('fetch failed');
});

test('refuses a port that is none', async () => {
  const { closed, says } = await dev('--port', '70000');
  await says(/PAWL_\w+/);
  expect(await closed).toBe(2);
});
