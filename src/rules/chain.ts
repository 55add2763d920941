import type { Use } from '../compiler/facts.ts';
import type { RelatedPlace } from '../diagnostics/types.ts';
import type { Hop, Place } from './program.ts';

/** Words for call chains, the same in every transitive rule. */

/** Names shown at either end of a long chain. */
const SHOWN = 4;

/** The name under which people know a unit: `priceOf`, `Order.create`, the file for a module's top level. */
export function placeName({ module, unit }: Place): string {
  if (unit.path === '') return module.file;
  const definition = module.definitions.find(
    (candidate) => candidate.unit !== null && module.units[candidate.unit] === unit,
  );
  return definition?.slug ?? unit.path.replace(/#constructor$/, '');
}

/**
 * @param hops - from the root to the end
 * @param end - name of the end
 * @returns `fulfil → priceOf (src/pricing.ts:12:9) → fetch`: behind each name the place at which it leads on; the first has none,
 * for it is the place of the diagnostic
 */
export function chainText(hops: readonly Hop[], end: string): string {
  const names = hops.map((hop, index) => {
    const name = placeName(hop);
    return index === 0 ? name : `${name} (${hop.module.file}:${hop.use.span.line}:${hop.use.span.column})`;
  });
  const left = names.length - 2 * SHOWN;
  const shown = left > 1 ? [...names.slice(0, SHOWN), `… ${left} more …`, ...names.slice(-SHOWN)] : names;
  return [...shown, end].join(' → ');
}

/** One related place for each hop. */
export function chainPlaces(hops: readonly Hop[], end: string): RelatedPlace[] {
  return hops.map((hop, index) => {
    const next = hops[index + 1];
    const target = next ? placeName(next) : end;
    return {
      file: hop.module.file,
      span: hop.use.span,
      message: `\`${placeName(hop)}\` ${useVerb(hop.use)} \`${target}\``,
    };
  });
}

/** Whether a chain leads through what makes a variable when its module is loaded: on every side once, whoever reads the variable. */
export function runsAtLoad(hops: readonly Hop[]): boolean {
  return hops.some(({ unit, use }) => unit.kind === 'variable' && !use.deferred && use.access !== 'read');
}

/** What a use does, as a verb. */
export function useVerb({ access }: Use): string {
  switch (access) {
    case 'call':
      return 'calls';
    case 'new':
      return 'constructs';
    case 'write':
      return 'writes';
    case 'read':
      return 'uses';
  }
}
