/** Agents on the command line, from what is published: with the AI SDK installed, and without it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

const MAIN = `import { getWritable } from 'pawl';
import { DurableAgent } from 'pawl/agent';

async function double(n: number) {
  'use step';
  return n * 2;
}

export async function plain(n: number) {
  'use workflow';
  return double(n);
}

export async function ask(question: string) {
  'use workflow';
  const agent = new DurableAgent({ model: 'test/one', instructions: 'Be brief.' });
  const { text } = await agent.stream({ prompt: question, writable: getWritable() });
  return text;
}
`;

const CONFIG = `import { defineConfig } from 'pawl/config';
export default defineConfig({ providers: { test: MODEL } });
`;

test('without the AI SDK everything else works, and an agent says what is missing when it is asked', async () => {
  const cwd = temporaryProject({
    'src/main.ts': MAIN,
    'pawl.config.ts': CONFIG.replace('MODEL', '() => ({ doStream: () => null })'),
  });
  expect(await spawnCli(['build'], { cwd })).toMatchObject({ code: 0 });
  const run = (...argv: string[]) => spawnCli(['run', ...argv], { cwd });
  expect(await run('plain', '--input', '21')).toMatchObject({ code: 0, stdout: '42\n' });
  const { code, stderr } = await run('ask', '--input', '"Why?"');
  expect(code).toBe(1);
  expect(stderr).toContain('Agents need the AI SDK, and the package `ai` is not installed.');
  expect(stderr).toContain('Run `npm install ai`.');
  expect(stderr).not.toContain('attempt 2');
});

test('pawl run gives the answer, and pawl inspect shows each attempt of a model call', async () => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const cwd = mkdtempSync(join(ROOT, '.cache/agents-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const files = {
    'src/main.ts': MAIN,
    'model.ts': `import { APICallError, simulateReadableStream } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
let count = 0;
export const model = new MockLanguageModelV3({
  doStream: async () => {
    if (count++ === 0)
      throw new APICallError({ message: 'slow down', url: 'u', requestBodyValues: { secret: 1 }, statusCode: 429, responseHeaders: { 'retry-after': '0' } });
    return { stream: simulateReadableStream({ chunks: [
      { type: 'stream-start', warnings: [] },
      { type: 'text-start', id: '0' }, { type: 'text-delta', id: '0', delta: 'Because.' }, { type: 'text-end', id: '0' },
      { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: { inputTokens: { total: 1 }, outputTokens: { total: 1 } } },
    ] as never[] }) };
  },
});
`,
    'pawl.config.ts': CONFIG.replace('MODEL', '() => model').replace('\n', "\nimport { model } from './model';\n"),
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, file)), { recursive: true });
    writeFileSync(join(cwd, file), text);
  }
  expect(await spawnCli(['build'], { cwd })).toMatchObject({ code: 0 });
  const { code, stdout } = await spawnCli(['run', 'ask', '--input', '"Why?"', '--id', 'r1'], { cwd });
  expect({ code, stdout }).toEqual({ code: 0, stdout: '"Because."\n' });
  const shown = await spawnCli(['inspect', 'r1'], { cwd });
  expect(shown.stdout).toContain('callModel');
  expect(shown.stdout).toContain("The model's provider limits requests (429): slow down");
  const json = await spawnCli(['inspect', 'r1', '--json'], { cwd });
  expect(json.stdout).toContain('pawl/agent#callModel');
  expect(json.stdout).not.toContain('secret');
});
