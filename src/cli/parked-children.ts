/** Runs that one of `pawl run` waits for and that cannot go on, whoever parked them: without a word it would seem to hang. */
import type { WorkerEvent } from '../runtime/index.ts';
import type { EventStore, RunRecord } from '../store/port.ts';
import { shortName } from './project.ts';
import { visible, visibleLine } from './visible.ts';

export class ParkedChildren {
  readonly #store: EventStore;
  readonly #print: (text: string) => void;
  #unsubscribe: () => void = () => {};
  /** Runs whose ends the command waits for. */
  #waited: ReadonlySet<string> = new Set();
  /** When each that was told of was parked, so that one which goes on and is parked again is told of again. */
  readonly #told = new Map<string, number>();
  #looking = false;
  #again = false;

  constructor(store: EventStore, print: (text: string) => void) {
    this.#store = store;
    this.#print = print;
  }

  /** What this process's own worker tells. Progress is a courtesy: a store that fails is told of by others. */
  heard(event: WorkerEvent): void {
    if (event.type !== 'run-parked') return;
    this.#store
      .getRun(event.runId)
      .then((run) => this.#tell(run, null))
      .catch(() => {});
  }

  /** From now on other workers' runs are looked at, too. */
  watch(ids: readonly string[]): void {
    this.#waited = new Set(ids);
    // Not before: it keeps the process alive, also one whose steps never come to be loaded.
    this.#unsubscribe = this.#store.subscribe(({ kind }) => {
      if (kind === 'external') this.#look();
    });
    this.#look();
  }

  stop(): void {
    this.#unsubscribe();
    this.#waited = new Set();
  }

  #look(): void {
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    void this.#lookAll()
      .catch(() => {})
      .finally(() => {
        this.#looking = false;
      });
  }

  async #lookAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const { runs } = await this.#store.listRuns({ status: ['parked'], limit: 1_000 });
      for (const run of runs) await this.#tell(run, this.#waited);
    }
  }

  /**
   * Says of a parked run who waits for it, and what to do. Runs that nobody called are told of when the command ends.
   *
   * @param waited only if one of these waits for it; null: whoever does
   */
  async #tell(run: RunRecord | null, waited: ReadonlySet<string> | null): Promise<void> {
    if (!run?.parent || run.parkedReason === null || this.#told.get(run.id) === run.lastSeq) return;
    // The topmost caller is the one that a person started.
    let caller = await this.#store.getRun(run.parent.runId);
    while (caller?.parent) caller = await this.#store.getRun(caller.parent.runId);
    if (caller === null || waited?.has(caller.id) === false || this.#told.get(run.id) === run.lastSeq) return;
    this.#told.set(run.id, run.lastSeq);
    const again = `pawl run ${caller.workflowId} --id ${caller.id}`;
    const { code, message } = run.parkedReason;
    this.#print(
      `the run ${visibleLine(run.id)} of ${visibleLine(shortName(run.workflowId))} is parked, and its caller waits for it. ${code}: ${visible(message)}\n` +
        `When that is mended, \`pawl build\`, and \`${visibleLine(again)}\` lets both go on; \`pawl cancel ${visibleLine(run.id)}\` gives it up`,
    );
  }
}
