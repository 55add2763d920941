/** What all definitions share: how the runtime recognizes them, and that required options are there. */
import { PawlError } from '../errors.ts';
import { DEFINITION } from '../runtime/serialization/symbols.ts';
import type { ExecutableDefinition } from '../runtime/step-runner.ts';

/** Hangs on a definition what the runtime does with it. */
export function define<D extends object>(definition: D, executable: ExecutableDefinition): D {
  return Object.defineProperty(definition, DEFINITION, { value: executable });
}

/**
 * The build finds missing options; this is for code that was not built.
 *
 * @throws PawlError `PAWL_DEFINITION`
 */
export function requireOptions(kind: string, options: object, required: readonly string[]): void {
  for (const name of required) {
    if ((options as Record<string, unknown>)[name] !== undefined) continue;
    const slug = (options as { slug?: unknown }).slug;
    const which = typeof slug === 'string' ? ` ${slug}` : '';
    throw new PawlError('PAWL_DEFINITION', `The ${kind}${which} has no \`${name}\`.`, {
      remedy: `Give it: ${required.join(', ')} are required.`,
    });
  }
}
