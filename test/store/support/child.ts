/**
 * What the processes that store tests spawn do: `node child.mjs MODE URL NAME`. Whatever they print was acknowledged by the store
 * before; lines are written synchronously, so a line that is out was true even if the process is killed at once.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../../../src/store/open.ts';
import type { EventStore } from '../../../src/store/port.ts';

const [mode = '', url = '', name = ''] = process.argv.slice(2);
const print = (...words: (string | number)[]) => writeSync(1, `${words.join(' ')}\n`);

/** Several runs that grow at the same time, with payloads for each; goes on until killed. */
async function write(store: EventStore): Promise<never> {
  await store.registerOwner(name, 60_000);
  const runs = Array.from({ length: 5 }, (_, index) => `${name}-${index}`);
  await Promise.all(
    runs.map(async (id) => {
      await store.createRun({ id, workflowId: 'w', seed: 's', bundleHash: null, input: null, at: 1, owner: name });
      print('created', id);
      const token = `token of ${id}`;
      const hook = { type: 'hook_created', at: 1, cid: 0, name: token } as const;
      await store.append({ runId: id, fence: 1, afterSeq: 1, events: [hook] });
      let seq = 2;
      for (let cid = 1; ; cid++) {
        // Now and then pages overflow, and the file grows.
        const data = `${id} ${cid} ${'x'.repeat(cid % 7 === 0 ? 9_000 : 10)}`;
        const appended = await store.append({
          runId: id,
          fence: 1,
          afterSeq: seq,
          events: [
            { type: 'step_scheduled', at: cid, cid, name: 'step', data },
            { type: 'step_completed', at: cid, cid, attempt: 1, data },
          ],
        });
        if (!appended.ok) throw new Error(JSON.stringify(appended));
        seq = appended.lastSeq;
        print('appended', id, seq);
        const delivered = await store.deliverHook(token, `payload ${cid}`, cid);
        if (!delivered.ok) throw new Error(JSON.stringify(delivered));
        print('delivered', id, cid);
      }
    }),
  );
  throw new Error('unreachable');
}

/** Appends 200 events to a run of its own, one commit each, and says how far it is. */
async function contend(store: EventStore): Promise<void> {
  await store.registerOwner(name, 60_000);
  await store.createRun({ id: name, workflowId: 'w', seed: 's', bundleHash: null, input: null, at: 1, owner: name });
  for (let seq = 1; seq <= 200; seq++) {
    const event = { type: 'step_scheduled', at: seq, cid: seq, name: 'step' } as const;
    const result = await store.append({ runId: name, fence: 1, afterSeq: seq, events: [event] });
    if (!result.ok) throw new Error(JSON.stringify(result));
    print('appended', name, result.lastSeq);
  }
  await store.close();
}

/** Owns all due runs and does nothing. */
async function hold(store: EventStore): Promise<void> {
  await store.registerOwner(name, 3_600_000);
  const runs = await store.claim({ owner: name, now: 1_000, limit: 100 });
  print('holding', runs.length);
  setInterval(() => {}, 1_000_000);
}

/** Prints the code of the error that opening and writing gives. */
async function tryToWrite(): Promise<void> {
  try {
    const store = await openStore(url);
    await store.registerOwner(name, 1_000);
    await store.close();
    print('fine');
  } catch (error) {
    const { code, message, remedy, place } = error as { code: string; message: string; remedy: string; place: string };
    print(JSON.stringify({ code, message, remedy, place }));
  }
}

if (mode === 'try') await tryToWrite();
else {
  const store = await openStore(url);
  if (mode === 'write') await write(store);
  else if (mode === 'contend') await contend(store);
  else if (mode === 'hold') await hold(store);
  else throw new Error(`no mode ${mode}`);
}
