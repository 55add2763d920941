/**
 * What pawl and the Workflow SDK both compile, each with its own compiler: it is copied into a project of each. DBOS and Restate have no
 * compiler; their files say the same in their words.
 */
export async function noop(n: number): Promise<number> {
  'use step';
  (globalThis as { __benchMark?: (n: number) => void }).__benchMark?.(n);
  return n;
}

export async function sequential(count: number): Promise<number> {
  'use workflow';
  let sum = 0;
  for (let i = 0; i < count; i++) sum += await noop(i);
  return sum;
}

export async function parallel(count: number): Promise<number> {
  'use workflow';
  return (await Promise.all(Array.from({ length: count }, (_, i) => noop(i)))).length;
}
