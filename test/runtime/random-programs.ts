/**
 * Workflows that a seed makes up: sequences, parallel branches, races, loops, nested functions, hooks, sleeps, retries, errors that are
 * caught and errors that are not, and workflows that they call. Whatever they see goes into a trace, which is their result.
 */
import { Random } from '../sim/random.ts';

/** Deepest nesting, and how many statements a block has at most. */
const DEPTH = 2;
const BLOCK = 3;

class Writer {
  readonly #random: Random;
  /** Payloads that the test will send to the only hook. */
  #payloads = 2;
  #names = 0;
  /** Children call no others: they might call themselves. */
  #isChild = false;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  program(): string {
    const body = this.#block(0);
    // A hook that nobody waits for ends with its run.
    const hook = this.#payloads < 2 ? "const hook = createHook({ token: 'h' });\n" : '';
    const end = this.#random.below(8) === 0 ? "throw new RangeError(t.join(' '));" : 'return t;';
    const children = [
      this.#child('kid', 'return [n, t];'),
      this.#child('lost', "throw new RangeError('lost ' + t.length);"),
    ];
    return `let state = 0;\n${children.join('\n')}\nworkflow('w', async () => {\nconst t = [];\n${hook}${body}\n${end}\n});`;
  }

  /** A workflow that others call, as the compiler writes it: a run of its own, with variables of its own. */
  #child(name: string, end: string): string {
    this.#isChild = true;
    const body = this.#block(DEPTH - 1, false);
    this.#isChild = false;
    return `const ${name} = workflow('${name}', async (n) => {\nconst t = [];\n${body}\n${end}\n}, '${name}', (...args) => child('${name}', args));`;
  }

  #block(depth: number, own = true): string {
    const count = 1 + this.#random.below(BLOCK);
    return Array.from({ length: count }, () => this.#statement(depth, own)).join('\n');
  }

  /** @param own - it runs once, with nothing beside it: only then it may wait for the hook */
  #statement(depth: number, own: boolean): string {
    if (own && !this.#isChild && this.#random.below(5) === 0) return this.#call();
    const leaf = depth >= DEPTH || this.#random.below(3) === 0;
    return leaf ? this.#leaf(own) : this.#branch(depth, own);
  }

  #leaf(own: boolean): string {
    const kind = this.#random.below(own && this.#payloads > 0 ? 9 : 8);
    switch (kind) {
      case 0:
        return `t.push('now', Date.now() % 1000000007 > 0, Math.random() < 1);`;
      case 1:
        return `await sleep(${1 + this.#random.below(5_000)}); t.push('slept');`;
      case 2:
        return `t.push(await flaky('f${this.#random.below(9)}'));`;
      case 3:
        return `state += await add(state, ${this.#random.below(9)}); t.push(state);`;
      case 4:
        return `void add(${this.#random.below(9)}, 1);`;
      case 5:
        return `t.push((await fail('e${this.#random.below(9)}').catch((e) => e)).message);`;
      case 8:
        this.#payloads--;
        return this.#random.pick([
          `t.push(await hook);`,
          `t.push(await Promise.race([hook, sleep('30d').then(() => 'nobody')]));`,
        ]);
      default:
        return `t.push(await add(t.length, ${this.#random.below(99)}));`;
    }
  }

  #call(): string {
    const n = this.#random.below(9);
    return this.#random.pick([
      `t.push(await kid(${n}));`,
      `t.push((await lost(${n}).catch((e) => e)).message);`,
      `t.push(await Promise.all([kid(${n}), kid(1), add(${n}, 1)]));`,
      `t.push(await Promise.race([kid(${n}), sleep('30d').then(() => 'nobody')]));`,
      `t.push((await Promise.allSettled([lost(${n}), kid(${n}), sleep(${1 + n})])).map((s) => s.status));`,
      `void kid(${n});`,
    ]);
  }

  #branch(depth: number, own: boolean): string {
    const inner = (alone = false): string => this.#block(depth + 1, alone);
    const branch = (): string => `(async () => { ${inner()} return ${this.#random.below(99)}; })()`;
    // When a child gets its turn depends on what else is in memory: what it does side by side has no order of its own.
    const kind = this.#isChild ? this.#random.pick([0, 2, 3, 5, 6]) : this.#random.below(7);
    switch (kind) {
      case 0:
        return `for (let i${++this.#names} = 0; i${this.#names} < ${1 + this.#random.below(3)}; i${this.#names}++) {\n${inner()}\n}`;
      case 1:
        return `t.push(await Promise.all([${branch()}, ${branch()}]));`;
      case 2:
        return `t.push(await Promise.race([slow(1), sleep('${1 + this.#random.below(9)}s').then(() => 'first')]));`;
      case 3:
        return `try {\n${inner(own)}\nawait fail('caught');\n} catch (e) { t.push(e.name, e.message); } finally {\n${inner()}\n}`;
      case 4:
        return `t.push((await Promise.allSettled([${branch()}, fail('settled'), add(1, 2)])).map((s) => s.status));`;
      case 5:
        return `if (Math.random() < 0.5) {\n${inner()}\n} else {\n${inner()}\n}`;
      default: {
        const name = `f${++this.#names}`;
        return `const ${name} = async (n) => {\n${inner()}\nreturn n + 1; };\nt.push(await ${name}(await ${name}(1)));`;
      }
    }
  }
}

/** The workflow bundle of a seed, with the workflow `w`, for `sourcesOf`. */
export function randomProgram(seed: number): string {
  return new Writer(seed).program();
}
