/** A program for Keystroke: actions as steps and as tools, an action that prompts an agent, credentials, waits, one-shot prompts. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { asked } from '../agents/support.ts';
import { spawnCli } from '../support/cli.ts';
import { compatProject, compatRuntime, programTexts } from './support.ts';

const sources = programTexts('compat-desk');
const KEY = 'desk-key-0123456789';

/** A helpdesk over HTTP, and what it was asked. */
async function helpdesk(): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    requests.push(url);
    if (headers.authorization !== `Bearer ${KEY}`) response.statusCode = 401;
    const id = Number(url.slice('/tickets/'.length));
    response.end(JSON.stringify({ id, text: id === 2 ? 'Everything is down' : 'Thank you so much' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const says = (test: string, yes: string, no: string): string =>
  `[(options: any) => JSON.stringify(options.prompt.at(-1).content).includes('${test}') ? '${yes}' : '${no}']`;

function models(url: string): Record<string, string> {
  const call = JSON.stringify({ tool: 'find-ticket', id: 'c1', input: { desk: url, id: 1 } });
  return {
    judge: says('down', '{"priority":"high"}', '{"priority":"low"}'),
    tone: says('Thank', '{"friendly":true}', '{"friendly":false}'),
    clerk: `[[${call}], 'You are welcome.']`,
    haiku: `['An old silent pond']`,
  };
}

const EXPECTED = {
  seen: ['1: low, 4 words, friendly', '2: high, 3 words, not friendly', 'seen by Ada'],
  answer: 'You are welcome.',
  haiku: 'An old silent pond',
};

test('runs to its end', async () => {
  const { url, requests } = await helpdesk();
  const runtime = await compatRuntime(sources, 'keystroke', models(url), {
    credentials: { helpdesk: { apiKey: KEY } },
  });
  expect(runtime.diagnostics).toEqual([]);
  const run = await runtime.start('morning', [{ desk: url, ids: [1, 2] }]);
  await (await runtime.waitForHook(undefined, 'seen:2')).resume({ by: 'Ada' });
  expect(await runtime.finish(run)).toEqual(EXPECTED);
  expect(requests).toEqual(['/tickets/1', '/tickets/2', '/tickets/1']);
  const told = asked().find(({ tools }) => tools && tools.length > 0);
  expect(told?.tools).toMatchObject([
    { name: 'find-ticket', description: 'Looks a ticket up in the helpdesk.' },
    { name: 'judge-agent', inputSchema: { properties: { message: { type: 'string' } } } },
    { name: 'escalate' },
  ]);
  // Each question to a model is a step, one-shot prompts too; the action that prompts an agent is one as a whole.
  expect(runtime.manifest.workflows.morning?.steps).toEqual([
    'find-ticket',
    'judge',
    'pawl/agent#callModel',
    'pawl/agent#write',
  ]);
});

test('on the command line; a credential that is missing is told before', async () => {
  const { url } = await helpdesk();
  const cwd = compatProject(sources, 'keystroke', models(url));
  expect(await spawnCli(['build'], { cwd })).toMatchObject({ code: 0 });
  const input = JSON.stringify({ desk: url, ids: [1] });
  const refused = await spawnCli(['run', 'morning', '--input', input], { cwd });
  expect(refused.stderr).toContain('HELPDESK_API_KEY');
  const env = { HELPDESK_API_KEY: KEY };
  const { code, stdout } = await spawnCli(['run', 'morning', '--input', input], { cwd, env });
  expect({ code, value: JSON.parse(stdout || 'null') }).toEqual({
    code: 0,
    value: { ...EXPECTED, seen: EXPECTED.seen.slice(0, 1) },
  });
});
