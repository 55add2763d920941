/**
 * Each bundler builds the orders app for real, and what comes out runs. A new bundler is one row here.
 */
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readManifest } from '../../src/manifest/index.ts';
import { ROOT } from '../support/dist.ts';

interface Bundler {
  name: string;
  /** A program that builds `src/server.ts` to `out/server.mjs`; it exits with 1 when the bundler has errors. */
  script: string;
  /** Other files that it needs. */
  files?: Record<string, string>;
}

const BUNDLERS: Bundler[] = [
  {
    name: 'vite',
    script: `import { build } from 'vite';
import pawl from 'pawl/vite';
await build({
  root: process.cwd(),
  plugins: [pawl()],
  build: { ssr: 'src/server.ts', outDir: 'out', rollupOptions: { output: { entryFileNames: 'server.mjs' } } },
}).catch((error) => {
  console.error(error.message, error.frame ?? '', JSON.stringify(error.loc ?? null));
  process.exit(1);
});`,
  },
  {
    name: 'webpack',
    script: `import webpack from 'webpack';
import pawl from 'pawl/webpack';
webpack({
  mode: 'development',
  devtool: 'source-map',
  target: 'node20',
  entry: './src/server.ts',
  externals: [/^pawl\\//, 'pawl', 'zod'],
  externalsType: 'module',
  output: { path: process.cwd() + '/out', filename: 'server.mjs', module: true, library: { type: 'module' } },
  experiments: { outputModule: true },
  module: { rules: [{ test: /\\.ts$/, use: process.cwd() + '/types.cjs' }] },
  plugins: [pawl()],
}, (error, stats) => {
  if (error) throw error;
  console.error(stats.toString({ colors: false }));
  process.exit(stats.hasErrors() ? 1 : 0);
});`,
    files: {
      'types.cjs': `module.exports = function (source, map) {
  const done = this.async();
  const options = { loader: 'ts', sourcemap: true, sourcefile: this.resourcePath };
  require('esbuild').transform(source, options).then(({ code, map }) => done(null, code, map), done);
};`,
    },
  },
  {
    name: 'esbuild',
    script: `import { build } from 'esbuild';
import pawl from 'pawl/esbuild';
await build({
  entryPoints: ['src/server.ts'],
  outfile: 'out/server.mjs',
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  sourcemap: true,
  logLevel: 'info',
  plugins: [pawl()],
}).catch(() => process.exit(1));`,
  },
];

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The orders app as a user has it: a folder of its own, with packages installed. */
function ordersApp({ script, files = {} }: Bundler): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-app-')));
  folders.push(root);
  cpSync(join(ROOT, 'fixtures/apps/orders/src'), join(root, 'src'), { recursive: true });
  const orders = JSON.parse(readFileSync(join(ROOT, 'fixtures/apps/orders/orders.json'), 'utf8')) as unknown[];
  const written = {
    'package.json': '{ "name": "orders", "type": "module" }',
    'orders.json': JSON.stringify(orders.slice(0, 4)),
    'build.mjs': script,
    ...files,
  };
  for (const [file, text] of Object.entries(written)) writeFileSync(join(root, file), text);
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(ROOT, join(root, 'node_modules/pawl'));
  for (const name of ['zod', 'vite', 'webpack', 'esbuild']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  }
  return root;
}

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

function run(root: string, script: string, env: Record<string, string> = {}): Promise<Result> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { ...process.env, NO_COLOR: '1', ...env } };
    execFile(process.execPath, [script], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
  });
}

/** Each test waits for one or two processes; several run at once. */
const TIMEOUT = 60_000;

describe.concurrent.each(BUNDLERS)('$name', { timeout: TIMEOUT }, (bundler) => {
  test('builds the app, and what it built completes runs of both styles', async () => {
    const root = ordersApp(bundler);
    const built = await run(root, 'build.mjs');
    expect(built, built.stderr).toMatchObject({ code: 0 });
    const { workflows } = readManifest(join(root, '.pawl'));
    expect(Object.keys(workflows)).toContain('src/fulfil.ts#fulfil');
    const served = await run(root, 'out/server.mjs', {
      ORDERS_FILE: 'orders.json',
      ORDERS_STORE: 'sqlite:.pawl/pawl.db',
      ORDERS_LEDGER: 'ledger.jsonl',
    });
    expect(served.stderr).toBe('');
    expect(served.stdout.trim().split('\n')).toHaveLength(4);
    expect(served.stdout).toMatch(/^\S+: shipped$/m);
    expect(readFileSync(join(root, 'ledger.jsonl'), 'utf8')).toContain('"event":"done"');
  });

  test('shows what is wrong as its own error, with file, line, column and code frame', async () => {
    const root = ordersApp(bundler);
    const file = join(root, 'src/fulfil.ts');
    const source = readFileSync(file, 'utf8').replace('export async function charge', 'export function charge');
    writeFileSync(file, source);
    const line = source.slice(0, source.indexOf('export function charge')).split('\n').length;
    const built = await run(root, 'build.mjs');
    const output = built.stdout + built.stderr;
    expect(built.code, output).toBe(1);
    expect(output).toContain("PAWL1002: A step is called through the event log, so it has to be async. Add 'async'.");
    expect(output).toMatch(new RegExp(`src/fulfil\\.ts.{0,20}${line}|src/fulfil\\.ts","line":${line}`));
    expect(output).toContain('export function charge(order: string');
    expect(output).toMatch(/^[\s|│╵]*(?:\^+|~+)\s*$/m);
    expect(output).not.toMatch(/^\s+at .+dist\/.+:\d+:\d+/m);
  });

  test('asked to, it finds what only TypeScript knows', async () => {
    const root = ordersApp({ ...bundler, script: bundler.script.replace('pawl()', 'pawl({ types: true })') });
    writeFileSync(
      join(root, 'src/handler.ts'),
      `export async function call(handler: () => void) {\n  'use step';\n  handler();\n}\n`,
    );
    const built = await run(root, 'build.mjs');
    expect(built.code).toBe(1);
    expect(built.stdout + built.stderr).toMatch(/PAWL2001: The parameter `handler` of step `call` cannot cross/);
  });

  test('shows warnings as its own, and builds', async () => {
    const root = ordersApp(bundler);
    const file = join(root, 'src/fulfil.ts');
    writeFileSync(file, `// pawl-ignore PAWL3002 -- nothing is here\n${readFileSync(file, 'utf8')}`);
    const built = await run(root, 'build.mjs');
    expect(built.code, built.stderr).toBe(0);
    expect(built.stdout + built.stderr).toMatch(/PAWL9001: /);
    expect(readManifest(join(root, '.pawl')).workflows).toHaveProperty(['src/fulfil.ts#fulfil']);
  });
});
