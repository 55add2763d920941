import { importPeer, noop, type StartPeer } from './peer.ts';

type Workflow = (steps: number) => Promise<number>;

interface Sdk {
  DBOS: {
    setConfig(config: { name: string; systemDatabaseUrl: string; logLevel: string }): void;
    registerWorkflow(workflow: Workflow, options: { name: string }): Workflow;
    launch(): Promise<void>;
    startWorkflow(workflow: Workflow): (steps: number) => Promise<{ getResult(): Promise<number> }>;
    runStep<T>(step: () => Promise<T>, options: { name: string }): Promise<T>;
  };
}

/**
 * DBOS as its programming guide has it: a library in the process, on PostgreSQL. The one that starts a workflow waits for it in the same
 * process, so nothing polls.
 */
export const startDbos: StartPeer = async ({ database }) => {
  const { DBOS } = await importPeer<Sdk>('@dbos-inc/dbos-sdk');
  const step = (n: number): Promise<number> => DBOS.runStep(() => noop(n), { name: 'noop' });
  const sequential = DBOS.registerWorkflow(
    async (steps) => {
      let sum = 0;
      for (let i = 0; i < steps; i++) sum += await step(i);
      return sum;
    },
    { name: 'sequential' },
  );
  const parallel = DBOS.registerWorkflow(
    async (steps) => (await Promise.all(Array.from({ length: steps }, (_, i) => step(i)))).length,
    { name: 'parallel' },
  );
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: database, logLevel: 'error' });
  await DBOS.launch();
  const run = async (workflow: Workflow, steps: number): Promise<number> =>
    (await DBOS.startWorkflow(workflow)(steps)).getResult();
  return { sequential: (steps) => run(sequential, steps), parallel: (steps) => run(parallel, steps) };
};
