/** The chat app, built once for a test file, served by processes that may be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { build } from '../../src/bundler/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { ROOT } from '../support/dist.ts';
import type { ModelServer } from './model-server.ts';

export interface ChatApp {
  /** Folder of the stores. */
  base: string;
  /** The model that answers in this test; it is closed with it. */
  use(model: ModelServer): void;
  serve(database: string, port?: string): Promise<{ url: string; child: ChildProcess }>;
  /** At once, without a word. */
  kill(child: ChildProcess): Promise<void>;
}

export function chatApp(): ChatApp {
  const root = join(ROOT, 'fixtures/apps/chat');
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  // Inside the project: the step bundle imports packages from where it stands.
  const base = mkdtempSync(join(ROOT, '.cache/chat-'));
  const outDir = join(base, '.pawl');
  const children = new Set<ChildProcess>();
  let model: ModelServer;

  const kill = async (child: ChildProcess): Promise<void> => {
    children.delete(child);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };

  beforeAll(async () => {
    const { config, source } = await loadConfig(root);
    const configSource = source ?? undefined;
    const { ok, diagnostics } = await build({ root, config: { ...config, outDir }, configSource });
    expect(diagnostics).toEqual([]);
    expect(ok).toBe(true);
  });
  afterEach(async () => {
    await Promise.all([...children].map(kill));
    await model.close();
  });
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  return {
    base,
    use: (answering) => {
      model = answering;
    },
    async serve(database, port = '0') {
      const child = spawn(process.execPath, [join(ROOT, 'scripts/run-ts.mjs'), join(root, 'src/server.ts')], {
        env: {
          ...process.env,
          PORT: port,
          CHAT_STORE: `sqlite:${join(base, database)}`,
          CHAT_MANIFEST: outDir,
          MODEL_URL: `${model.url}/v1`,
          WEATHER_URL: model.url,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.add(child);
      for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
        if (line.startsWith('http')) return { url: line, child };
      }
      throw new Error('The server has ended.');
    },
    kill,
  };
}
