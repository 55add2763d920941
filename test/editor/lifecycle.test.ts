import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CLI, runCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';
import { startClient } from './support/client.ts';

const FILES = { 'package.json': '{}', 'src/a.ts': "export function a() {\n  'use step';\n}\n" };

describe('the server ends', () => {
  test('with 0 after shutdown and exit', async () => {
    const client = await startClient({ folders: [temporaryProject(FILES)] });
    expect(await client.quit()).toBe(0);
  });

  test('with 1 when the editor only goes away', async () => {
    const root = temporaryProject(FILES);
    const client = await startClient({ folders: [root] });
    await client.open(join(root, 'src/a.ts'), FILES['src/a.ts']);
    client.process.stdin.end();
    expect(await client.exited()).toBe(1);
  });

  test('with 0 when the editor goes away after a shutdown', async () => {
    const client = await startClient({ folders: [temporaryProject(FILES)] });
    await client.connection.sendRequest('shutdown');
    client.process.stdin.end();
    expect(await client.exited()).toBe(0);
  });

  test('when the process of the editor is gone, although its pipes are open', async () => {
    const editor = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    onTestFinished(() => void editor.kill('SIGKILL'));
    const client = await startClient({
      folders: [temporaryProject(FILES)],
      initialize: { processId: editor.pid ?? null },
    });
    editor.kill('SIGKILL');
    expect(await client.exited()).toBe(1);
  });
});

test('what is no message of the protocol does not end it', async () => {
  const root = temporaryProject(FILES);
  const client = await startClient({ folders: [root] });
  await expect(client.connection.sendRequest('pawl/unknown')).rejects.toThrow(/Unhandled method/);
  await client.connection.sendNotification('textDocument/didChange', {
    textDocument: { uri: 'file:///a.ts', version: 3 },
    contentChanges: [],
  });
  await client.connection.sendNotification('$/setTrace', { value: 'verbose' });
  expect((await client.open(join(root, 'src/a.ts'), FILES['src/a.ts'])).map(({ code }) => code)).toEqual(['PAWL1002']);
  expect(client.stderr).toBe('');
});

test('it says what it can do', async () => {
  const { initialized } = await startClient({ folders: [temporaryProject(FILES)] });
  expect(initialized).toMatchObject({
    serverInfo: { name: 'pawl', version: expect.stringMatching(/^\d/) },
    capabilities: {
      hoverProvider: true,
      referencesProvider: true,
      definitionProvider: true,
      codeLensProvider: {},
      codeActionProvider: { codeActionKinds: ['quickfix', 'source.fixAll.pawl'] },
      executeCommandProvider: { commands: ['pawl.showPlaces'] },
    },
  });
});

test('started by a person, it says so', async () => {
  const tty = Object.getOwnPropertyDescriptor(process.stdin, 'isTTY');
  Object.defineProperty(process.stdin, 'isTTY', { value: true, configurable: true });
  onTestFinished(() => {
    if (tty) Object.defineProperty(process.stdin, 'isTTY', tty);
    else Reflect.deleteProperty(process.stdin, 'isTTY');
  });
  const { code, stdout, stderr } = await runCli(['language-server', '--stdio'], { cwd: '/' });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error PAWL_USAGE: .+\n {2}Have your editor run/);
});

test('nothing but the protocol is on the standard output', async () => {
  const child = spawn(process.execPath, [CLI, 'language-server', '--stdio', '--clientProcessId', String(process.pid)]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const send = (message: object): void => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  send({ id: 1, method: 'initialize', params: { processId: null, rootUri: null, capabilities: {} } });
  send({ id: 2, method: 'shutdown' });
  send({ method: 'exit' });
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  expect(output.replace(/Content-Length: \d+\r\n\r\n\{"jsonrpc":"2\.0".*?\}(?=Content-Length|$)/gs, '')).toBe('');
});
