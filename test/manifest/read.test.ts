import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import {
  createManifest,
  readBundles,
  readManifest,
  serializeManifest,
  writeFilesAtomically,
} from '../../src/manifest/index.ts';

const span = { line: 1, column: 1, endLine: 2, endColumn: 2 };
const hash = `sha256-${'0'.repeat(64)}`;
const bundles = { workflows: '(function (__pawl) {})\n', steps: 'export {};\n' };
const manifest = createManifest({
  pawl: '0.1.0',
  workflows: {
    'src/a.ts#run': { style: 'directive', name: 'run', file: 'src/a.ts', span, hash, steps: ['src/a.ts#pay'] },
  },
  steps: {
    'src/a.ts#pay': {
      style: 'directive',
      name: 'pay',
      file: 'src/a.ts',
      span,
      hash,
      options: { maxRetries: 2, timeout: '3s' },
      captures: ['order'],
      usesThis: false,
      parameters: 1,
    },
  },
  agents: {},
  classes: {},
  bundles,
});

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pawl-manifest-'));
  writeFilesAtomically(dir, [
    { name: 'workflows.js', text: bundles.workflows },
    { name: 'steps.js', text: bundles.steps },
    { name: 'manifest.json', text: serializeManifest(manifest) },
  ]);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const file = (): string => join(dir, 'manifest.json');

function problem(run: () => unknown): Pick<PawlError, 'code' | 'message' | 'place' | 'remedy'> {
  try {
    run();
  } catch (error) {
    if (error instanceof PawlError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('what is written is read, by the file or by its folder', () => {
  expect(readManifest(file())).toEqual({ ...manifest, dir });
  expect(readManifest(dir)).toEqual({ ...manifest, dir });
  expect(readBundles(readManifest(dir)).workflows).toEqual({
    file: join(dir, 'workflows.js'),
    code: bundles.workflows,
    map: null,
  });
});

test('there is none', () => {
  rmSync(file());
  expect(problem(() => readManifest(dir))).toMatchObject({
    code: 'PAWL_MANIFEST_MISSING',
    place: file(),
    remedy: 'Run `pawl build`.',
  });
});

test('a directory stands in its place', () => {
  rmSync(file());
  mkdirSync(file());
  expect(problem(() => readManifest(dir))).toMatchObject({
    code: 'PAWL_MANIFEST_UNREADABLE',
    message: 'The manifest cannot be read: it is a directory.',
  });
});

test.each([
  ['', 'it is empty'],
  ['{ "version": 1, ', 'JSON'],
  ['\u0000\u0001', 'JSON'],
])('it is not JSON: %j', (text, reason) => {
  writeFileSync(file(), text);
  const { code, message } = problem(() => readManifest(dir));
  expect(code).toBe('PAWL_MANIFEST_NOT_JSON');
  expect(message).toContain(reason);
});

test.each([
  [2, 'Update pawl'],
  [0, 'Run `pawl build`'],
])('it has format version %i', (version, remedy) => {
  writeFileSync(file(), JSON.stringify({ ...manifest, version }));
  const found = problem(() => readManifest(dir));
  expect(found.code).toBe('PAWL_MANIFEST_VERSION');
  expect(found.message).toContain(`format version ${version}; this version of pawl reads 1`);
  expect(found.remedy).toContain(remedy);
});

test('a value of the wrong kind is named by its path', () => {
  const broken = JSON.parse(readFileSync(file(), 'utf8'));
  broken.steps['src/a.ts#pay'].span.line = 'one';
  writeFileSync(file(), JSON.stringify(broken));
  const { code, message } = problem(() => readManifest(dir));
  expect(code).toBe('PAWL_MANIFEST_INVALID');
  expect(message).toContain('`steps["src/a.ts#pay"].span.line`');
});

test.each(['null', '[]', '3', '"x"', '{}'])('it is JSON of another kind: %s', (text) => {
  writeFileSync(file(), text);
  expect(problem(() => readManifest(dir)).code).toBe('PAWL_MANIFEST_INVALID');
});

test('every flipped bit that leaves a readable manifest is noticed', () => {
  const bytes = readFileSync(file());
  const silent: string[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (bytes[at] as number) ^ (1 << (at % 7));
    writeFileSync(file(), flipped);
    try {
      const read = readManifest(dir);
      // White space may turn into other white space; the meaning is the same then.
      if (JSON.stringify(read) !== JSON.stringify({ ...readManifestOf(bytes), dir })) silent.push(`byte ${at}`);
    } catch (error) {
      expect(error).toBeInstanceOf(PawlError);
    }
  }
  expect(silent).toEqual([]);
});

function readManifestOf(bytes: Buffer): object {
  return JSON.parse(bytes.toString('utf8'));
}

test('a bundle is missing', () => {
  rmSync(join(dir, 'steps.js'));
  expect(problem(() => readBundles(readManifest(dir)))).toMatchObject({
    code: 'PAWL_BUNDLE_MISSING',
    place: join(dir, 'steps.js'),
  });
});

test.each([
  [-60, 'it is older than its manifest'],
  [60, 'it is newer than its manifest'],
  [0, 'its hash differs'],
])('a bundle is not the one that the manifest was written with (%i s)', (seconds, reason) => {
  const bundle = join(dir, 'workflows.js');
  writeFileSync(bundle, `${bundles.workflows} `);
  const now = Date.now() / 1000;
  utimesSync(file(), now, now);
  utimesSync(bundle, now + seconds, now + seconds);
  const { code, message } = problem(() => readBundles(readManifest(dir)));
  expect(code).toBe('PAWL_BUNDLE_MISMATCH');
  expect(message).toContain(reason);
});

test('the text of a manifest does not depend on the order of its making', () => {
  const reversed = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([key, member]) => [key, reversed(member)]),
        )
      : value;
  expect(serializeManifest(reversed(manifest) as typeof manifest)).toBe(serializeManifest(manifest));
});

test('a folder that cannot be written is named', () => {
  writeFileSync(join(dir, 'taken'), '');
  expect(problem(() => writeFilesAtomically(join(dir, 'taken'), [{ name: 'a', text: 'x' }]))).toMatchObject({
    code: 'PAWL_WRITE_FAILED',
    message: expect.stringMatching(/a file stands where a directory is meant/),
  });
});

test('a file that has the text already is left alone, and nothing else is left behind', () => {
  expect(writeFilesAtomically(dir, [{ name: 'steps.js', text: bundles.steps }])).toEqual([]);
  expect(writeFilesAtomically(dir, [{ name: 'steps.js', text: 'export { };\n' }])).toEqual(['steps.js']);
});
