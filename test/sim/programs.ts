/**
 * Random workflows, and what they have to give. Whatever happens to the machines, the result is the same: nothing in them depends on
 * which of two things comes first.
 */
import type { Random } from './random.ts';

export interface RandomProgram {
  /** Code of an async function's body; `total` is what it returns. */
  code: string;
  expected: number;
  /** Payloads for the hook, one after the other; a negative one is refused. */
  payloads: number[];
}

/** What the random workflows share; those that they call are runs of their own. */
export const SHARED = `
const add = step('add'), flaky = step('flaky'), fail = step('fail'), say = step('say');
const validate = (value) => (value > 0 ? { value } : { issues: [{ message: 'not positive' }] });
const POSITIVE = { '~standard': { version: 1, vendor: 'simulation', validate } };
workflow('sum', async (a, b) => add(a, b));
workflow('late', async (a, b) => { await sleep(10); return await child('sum', [await add(a, 0), b]); });
workflow('refuse', async (a) => fail(a));`;

/** Values are kept below this, so that sums stay whole numbers. */
const MODULUS = 1_000_003;

interface Piece {
  /** An expression to be awaited. */
  code: string;
  value: number;
}

export function randomProgram(random: Random): RandomProgram {
  const lines: string[] = [];
  const payloads: number[] = [];
  let expected = 1;
  const add = (piece: Piece): void => {
    lines.push(`total = (total * 31 + (${piece.code})) % ${MODULUS};`);
    expected = (expected * 31 + piece.value) % MODULUS;
  };
  const count = 1 + random.below(5);
  const hookAt = random.chance(0.4) ? random.below(count) : -1;
  for (let i = 0; i < count; i++) {
    if (i === hookAt) {
      const wanted = 1 + random.below(3);
      const hasSchema = random.chance(0.5);
      for (let n = 0; n < wanted; n++) {
        // The schema refuses it.
        while (hasSchema && random.chance(0.3)) payloads.push(-1);
        payloads.push(1 + random.below(100));
      }
      const schema = hasSchema ? ', schema: POSITIVE' : '';
      lines.push(`const hook = createHook({ token: 'hook of ' + getWorkflowMetadata().workflowRunId${schema} });`);
      for (const payload of payloads) if (payload > 0) add({ code: 'await hook', value: payload });
      lines.push('hook.dispose();');
    }
    add(statement(random, 2));
  }
  return { code: `let total = 1;\n${lines.join('\n')}\nreturn total;`, expected, payloads };
}

function statement(random: Random, depth: number): Piece {
  const kind = random.below(depth > 0 ? 12 : 5);
  const [a, b] = [random.below(50), random.below(50)];
  switch (kind) {
    case 0:
    case 1:
      return { code: `await add(${a}, ${b})`, value: a + b };
    case 2:
      return { code: `await flaky(${a}, ${1 + random.below(2)})`, value: a };
    case 3:
      return { code: `(await sleep(${random.below(40)}), ${a})`, value: a };
    case 4:
      return { code: `await say(${a})`, value: a };
    case 5:
      return { code: `await fail(${a}).catch(() => ${b})`, value: b };
    case 6: {
      const parts = Array.from({ length: 2 + random.below(4) }, () => statement(random, depth - 1));
      const code = `(await Promise.all([${parts.map((part) => `(async () => ${part.code})()`).join(', ')}])).reduce((x, y) => x + y, 0)`;
      return { code, value: parts.reduce((sum, part) => sum + part.value, 0) };
    }
    case 7: {
      const times = 1 + random.below(3);
      const part = statement(random, depth - 1);
      const code = `await (async () => { let n = 0; for (let i = 0; i < ${times}; i++) n += ${part.code}; return n; })()`;
      return { code, value: times * part.value };
    }
    case 8: {
      const part = statement(random, depth - 1);
      const code = `(await Promise.allSettled([fail(${a}), (async () => ${part.code})()])).reduce((n, each) => n + (each.value ?? ${b}), 0)`;
      return { code, value: part.value + b };
    }
    case 9:
      return { code: `await child('${random.pick(['sum', 'late'])}', [${a}, ${b}])`, value: a + b };
    case 10:
      return { code: `await child('refuse', [${a}]).catch(() => ${b})`, value: b };
    default: {
      // The step is faster than a day, however often it has to be made again.
      const part = statement(random, depth - 1);
      return {
        code: `await Promise.race([(async () => ${part.code})(), sleep('10d').then(() => -1)])`,
        value: part.value,
      };
    }
  }
}
