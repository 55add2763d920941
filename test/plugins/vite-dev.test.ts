import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, type LogErrorOptions, type Logger, type ViteDevServer } from 'vite';
import { expect, onTestFinished, test } from 'vitest';
import pawl from '../../plugins/vite.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

const CLEAN = `export async function charge(amount: number) {
  'use step';
  return amount;
}
`;

/** What vite prints, and a way to wait for it. */
function listeningLogger(): { logger: Logger; until: (pattern: RegExp) => Promise<string> } {
  const seen: string[] = [];
  let wake = (): void => {};
  const add = (text: string, _options?: LogErrorOptions): void => {
    seen.push(text);
    wake();
  };
  const logger: Logger = {
    info: add,
    warn: add,
    warnOnce: add,
    error: add,
    clearScreen: () => {},
    hasErrorLogged: () => false,
    hasWarned: false,
  };
  const until = (pattern: RegExp): Promise<string> =>
    new Promise((resolve) => {
      wake = () => {
        const found = seen.find((text) => pattern.test(text));
        if (found) resolve(found);
      };
      wake();
    });
  return { logger, until };
}

/** Changes a file until the watcher has noticed: it does not, for a moment after it says that it is ready. */
async function seen(server: ViteDevServer, name: string, change: (round: number) => void): Promise<void> {
  let round = 0;
  const timer = setInterval(() => change(round++), 50);
  await new Promise<void>((resolve) => {
    server.watcher.on('all', (_event, file) => {
      if (file.endsWith(name)) resolve();
    });
  });
  clearInterval(timer);
}

test('the development server builds, compiles what it serves, and shows errors as they come', async () => {
  const root = temporaryProject({ 'src/a.ts': CLEAN.replace('async ', '') });
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(ROOT, join(root, 'node_modules/pawl'));
  const { logger, until } = listeningLogger();
  const server = await createServer({
    root,
    configFile: false,
    customLogger: logger,
    server: { middlewareMode: true, ws: false },
    plugins: [pawl()],
  });
  onTestFinished(() => server.close());
  expect(await until(/PAWL1002/)).toMatch(/^src\/a\.ts:1:17 PAWL1002: .*\n> 1 \| export function charge/);

  await seen(server, 'a.ts', (round) => writeFileSync(join(root, 'src/a.ts'), `${CLEAN}// ${round}\n`));
  const { charge } = await server.ssrLoadModule('/src/a.ts');
  expect(charge.stepId).toBe('src/a.ts#charge');
  writeFileSync(join(root, 'src/b.ts'), `export async function more() { 'use steps'; }`);
  expect(await until(/PAWL1003/)).toMatch(/^src\/b\.ts:1:32 PAWL1003/);
  expect(readFileSync(join(root, '.pawl/manifest.json'), 'utf8')).toContain('src/a.ts#charge');
});
