import type { Transform } from './transform.ts';

/** Registers classes whose instances cross boundaries, by a static block so that private and anonymous classes work too. */
export function transformClasses(transform: Transform): void {
  if (transform.mode === 'schemas') return;
  for (const { fact, site } of transform.analysis.classes) {
    const end = (site.node.body.end as number) - 1;
    transform.edits.insert(end, ` ;static { ${transform.helper('cls')}(${JSON.stringify(fact.id)}, this); } `);
  }
}
