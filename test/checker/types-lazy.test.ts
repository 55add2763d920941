import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createSession, createTypes, type TypeBackend } from '../../src/checker/index.ts';
import { type Candidate, candidateFor, findTypeScript } from '../../src/checker/types/load.ts';
import { createNativeBackend, type NativeTypeScript } from '../../src/checker/types/native.ts';
import type { Types } from '../../src/rules/index.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';
import { TYPESCRIPTS, typedFindings, typesFrom } from '../support/types.ts';

/** What becomes of a TypeScript that is not there, too old, or fails: people are told once, and all else is checked. */

const FLOW = `export async function charge(go: () => void) {\n  'use step';\n}\n`;
const FOUND = ['src/a.ts:1:30 The parameter `go` of step `charge` cannot cross: it is a function (`() => void`).'];

const NOTHING: Types = {
  signature: () => null,
  definition: () => null,
  arguments: () => null,
  typeArguments: () => null,
  variable: () => null,
};

function fake(name: string, open: () => Types | null, dispose = () => {}): Candidate {
  const backend: TypeBackend = { name, notices: [], open, dispose };
  return { name, load: () => backend };
}

const working = TYPESCRIPTS['TypeScript 6'] as Candidate;

describe('a TypeScript that fails', () => {
  test('when it is loaded: the next one is asked', async () => {
    const broken: Candidate = {
      name: 'TypeScript 7.0.0',
      load() {
        throw new Error('Cannot find the executable\n    at somewhere');
      },
    };
    const types = typesFrom(broken, working);
    const root = temporaryProject({ 'src/a.ts': FLOW });
    expect(await typedFindings(root, types)).toEqual(FOUND);
    expect(types.notices).toEqual(['TypeScript 7.0.0 could not be asked for types: Cannot find the executable.']);
    expect(types.name).toMatch(/^TypeScript 6/);
    types.dispose();
  });

  test('when it opens a program, or at a question: the next one is asked from then on', async () => {
    const dispose = vi.fn<() => void>();
    const refuse = (): never => {
      throw new Error('Unexpected EOF while reading from child process (killed by signal SIGKILL)');
    };
    const types = typesFrom(
      fake('TypeScript 7.0.1', refuse, dispose),
      fake('TypeScript 7.0.2', () => ({ ...NOTHING, signature: refuse }), dispose),
      working,
    );
    const root = temporaryProject({ 'src/a.ts': FLOW });
    expect(await typedFindings(root, types)).toEqual(FOUND);
    expect(await typedFindings(root, types)).toEqual(FOUND);
    expect(types.notices).toEqual([
      'TypeScript 7.0.1 could not be asked for types: Unexpected EOF while reading from child process (killed by signal SIGKILL).',
      'TypeScript 7.0.2 could not be asked for types: Unexpected EOF while reading from child process (killed by signal SIGKILL).',
    ]);
    expect(dispose).toHaveBeenCalledTimes(2);
    types.dispose();
  });

  test('and is the last: it is asked on, and all else is reported', async () => {
    const asked: string[] = [];
    const signature: Types['signature'] = (file) => {
      asked.push(file);
      throw new Error('Debug Failure.');
    };
    const types = typesFrom(fake('TypeScript 6.0.3', () => ({ ...NOTHING, signature })));
    const root = temporaryProject({
      'src/a.ts': FLOW,
      'src/b.ts': `export async function pay() {\n  'use steps';\n}\n${FLOW}`,
    });
    const { diagnostics } = await createSession({ root, types }).check();
    expect(diagnostics.map(({ code }) => code)).toEqual(['PAWL1003']);
    expect(asked).toEqual(['src/a.ts', 'src/b.ts']);
    expect(types.notices).toEqual(['TypeScript 6.0.3 failed when it was asked for types in src/a.ts: Debug Failure.']);
  });

  test('when it ends: nothing is thrown', async () => {
    const dispose = (): never => {
      throw new Error('it is gone');
    };
    const refuse = (): never => {
      throw new Error('gone');
    };
    const types = typesFrom(fake('TypeScript 7.0.1', refuse, dispose));
    const root = temporaryProject({ 'src/a.ts': FLOW });
    expect(await typedFindings(root, types)).toEqual([]);
    expect(types.notices).toEqual([
      'TypeScript 7.0.1 could not be asked for types: gone.',
      'There is no TypeScript that could be asked. Rules that need types are left out; install typescript 5.5 or newer, or say --no-types.',
    ]);
  });
});

test('a process that is killed gives way to the next TypeScript', async () => {
  const require = createRequire(join(ROOT, 'test/support/typescript-7/node_modules/typescript/package.json'));
  const api = require('typescript/unstable/sync') as NativeTypeScript['api'];
  const ast = require('typescript/unstable/ast') as NativeTypeScript['ast'];
  const children: ChildProcess[] = [];
  class Watched extends api.API {
    constructor(...options: ConstructorParameters<NativeTypeScript['api']['API']>) {
      super(...options);
      children.push((this as unknown as { client: { channel: { child: ChildProcess } } }).client.channel.child);
    }
  }
  const load = () => createNativeBackend({ api: { ...api, API: Watched }, ast, version: '7.0.2' });
  const types = typesFrom({ name: 'TypeScript 7.0.2', load }, working);
  const root = temporaryProject({ 'src/a.ts': FLOW });
  expect(await typedFindings(root, types)).toEqual(FOUND);
  const [child] = children as [ChildProcess];
  child.ref();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const next = temporaryProject({ 'src/a.ts': FLOW });
  expect(await typedFindings(next, types)).toEqual(FOUND);
  expect(types.name).toMatch(/^TypeScript 6/);
  expect(types.notices).toEqual([expect.stringMatching(/^TypeScript 7\.0\.2 could not be asked for types: ./)]);
  types.dispose();
});

test('nothing is loaded where nothing has a boundary', async () => {
  const load = vi.fn<() => never>(() => {
    throw new Error('not wanted');
  });
  const types = typesFrom({ name: 'TypeScript', load });
  const root = temporaryProject({ 'src/a.ts': 'export const one = 1;\n' });
  expect(await typedFindings(root, types)).toEqual([]);
  expect(load).not.toHaveBeenCalled();
  expect(types.notices).toEqual([]);
});

describe('which TypeScript', () => {
  test('that of the project comes first, then that beside pawl', () => {
    const manifest = JSON.stringify({ name: 'typescript', version: '5.9.3', main: 'index.js' });
    const root = temporaryProject({
      'node_modules/typescript/package.json': manifest,
      'node_modules/typescript/index.js': '',
    });
    const names = findTypeScript(root).found.map(({ name }) => name);
    expect(names).toEqual(['TypeScript 5.9.3', expect.stringMatching(/^TypeScript 6/)]);
    expect(findTypeScript(ROOT).found).toHaveLength(1);
  });

  test('versions that are not known are passed over, and named when no other is left', async () => {
    const root = temporaryProject({
      'node_modules/typescript/package.json': JSON.stringify({ name: 'typescript', version: '5.4.5' }),
      'src/a.ts': FLOW,
    });
    const { found, reasons } = findTypeScript(root);
    expect(found.map(({ name }) => name)).toEqual([expect.stringMatching(/^TypeScript 6/)]);
    const types = createTypes({ root, candidates: () => ({ found: [], reasons }) });
    expect(await typedFindings(root, types)).toEqual([]);
    expect(types.notices).toEqual([
      'TypeScript 5.4.5 is not one that pawl can ask: it knows 5.5 to 7. Rules that need types are left out; install typescript 5.5 or newer, or say --no-types.',
    ]);
    expect(candidateFor({ directory: root, version: '8.0.0' })).toBeNull();
    expect(candidateFor({ directory: root, version: 'next' })).toBeNull();
  });
});

describe('TypeScript is left alone where nothing that it could tell is reported', () => {
  const FILES = {
    'src/flow.ts': `import { send } from './send';\nexport async function charge(id: string) {\n  'use step';\n  return id;\n}\nexport async function flow() {\n  'use workflow';\n  return send();\n}\n`,
    'src/send.ts': `import { charge } from './flow';\nexport const send = () => charge('1');\n`,
    'src/start.ts': `import { start } from 'pawl/client';\nimport { flow } from './flow';\nexport const begin = () => start(flow, []);\n`,
    'src/page.ts': `export const page = 1;\n`,
  };

  test.each([
    ['of all', undefined, true],
    ['of a module with a step', ['src/flow.ts'], true],
    ['of a helper that a workflow calls', ['src/send.ts'], true],
    ['of an application that starts runs', ['src/start.ts'], true],
    ['of a module that has nothing to do with any of it', ['src/page.ts'], false],
    ['of a folder', ['src'], true],
  ])('%s', async (_, files, asked) => {
    const open = vi.fn<() => Types>(() => NOTHING);
    const session = createSession({
      root: temporaryProject(FILES),
      files,
      types: createTypes({ root: ROOT, candidates: () => ({ found: [fake('TypeScript', open)], reasons: [] }) }),
    });
    expect((await session.check()).diagnostics).toEqual([]);
    expect(open).toHaveBeenCalledTimes(asked ? 1 : 0);
  });
});
