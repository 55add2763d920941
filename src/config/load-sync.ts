import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Diagnostic } from '../diagnostics/types.ts';
import { PawlError } from '../errors.ts';
import type { LoadedConfig } from './files.ts';
import { ConfigError, mustRun, ownEntry, readConfig } from './load.ts';

/** Longer than any configuration should take, ms. */
const PATIENCE = 30_000;

/** What the thread answers: errors have lost their class on the way. */
type Answer =
  | { ended: true }
  | { loaded: string }
  | { diagnostics: [Diagnostic, ...Diagnostic[]] }
  | { message: string; code?: string; place?: string; remedy?: string };

const THREAD = `
const { workerData: { entry, root, port, done } } = require('node:worker_threads');
const answer = (value) => {
  if (Atomics.load(done, 0) !== 0) return;
  port.postMessage(value);
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
};
process.on('exit', () => answer({ ended: true }));
import(entry)
  .then(({ loadConfig }) => loadConfig(root))
  .then(
    (loaded) => answer({ loaded: JSON.stringify(loaded, (key, value) => (key === 'providers' ? undefined : value)) }),
    ({ diagnostics, message, code, place, remedy }) => answer(diagnostics ? { diagnostics } : { message, code, place, remedy }),
  );
`;

/**
 * `loadConfig` for callers that cannot wait, such as rules of linters. A configuration that is code is run in a thread of its own, while
 * this one stands still.
 *
 * @param root absolute folder of the project
 * @throws ConfigError as `loadConfig`; PawlError `PAWL_CONFIG_EXIT`, `PAWL_CONFIG_TIMEOUT`
 */
export function loadConfigSync(root: string): LoadedConfig {
  if (!mustRun(root)) return readConfig(root);
  const { port1, port2 } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const entry = ownEntry();
  const worker = new Worker(THREAD, {
    eval: true,
    // Those of this process may be about its own script.
    execArgv: [],
    workerData: { entry: isAbsolute(entry) ? pathToFileURL(entry).href : entry, root, port: port2, done },
    transferList: [port2],
  });
  worker.unref();
  const waited = Atomics.wait(done, 0, 0, PATIENCE);
  const answer = receiveMessageOnPort(port1)?.message as Answer | undefined;
  port1.close();
  void worker.terminate();
  if (waited === 'timed-out' || !answer) {
    throw new PawlError('PAWL_CONFIG_TIMEOUT', `The configuration was not there after ${PATIENCE / 1000} seconds.`, {
      place: root,
      remedy: 'See to it that `pawl.config` does not wait for something that never comes.',
    });
  }
  if ('ended' in answer) {
    throw new PawlError('PAWL_CONFIG_EXIT', 'The configuration ended the process.', {
      place: root,
      remedy: 'Leave `process.exit` out of `pawl.config`; an exception tells what is wrong.',
    });
  }
  if ('loaded' in answer) return JSON.parse(answer.loaded) as LoadedConfig;
  if ('diagnostics' in answer) throw new ConfigError(answer.diagnostics);
  throw answer.code === undefined ? new Error(answer.message) : new PawlError(answer.code, answer.message, answer);
}
