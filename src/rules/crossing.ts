import type { DiagnosticInput } from '../diagnostics/create.ts';
import type { Refusal, ValueType } from './types.ts';

/** Words for what cannot cross a boundary, the same in every rule that asks for types. */

const LONGEST_TYPE = 80;

/** `` `order.save` is a function (`() => void`) ``; `it is …` where the value itself is meant. */
export function refusalText(value: ValueType, refusal: Refusal): string {
  const subject = refusal.path === value.name ? 'it' : `\`${refusal.path}\``;
  return `${subject} is ${describe(refusal)}`;
}

function describe({ kind, type }: Refusal): string {
  const shown = type.length > LONGEST_TYPE ? `${type.slice(0, LONGEST_TYPE - 1)}…` : type;
  switch (kind) {
    case 'function':
      return `a function (\`${shown}\`)`;
    case 'symbol':
      return 'a symbol';
    case 'promise':
      return `a promise (\`${shown}\`)`;
    case 'class':
      return `a class (\`${shown}\`)`;
    case 'instance':
      return `an instance of \`${shown}\``;
  }
}

/** What to do instead. */
export function refusalRemedy({ kind, related }: Refusal): string {
  switch (kind) {
    case 'function':
      return "Pass data; a function crosses only when it is a step (give it the directive 'use step').";
    case 'symbol':
      return 'Pass a string.';
    case 'promise':
      return 'Await it first.';
    case 'class':
      return 'Import the class where it is needed, and pass data.';
    case 'instance': {
      const own = related.some(
        ({ file, message }) => message.startsWith('the class') && !file.includes('node_modules/'),
      );
      return own
        ? "Pass its data, or give the class both static methods, [serialize] and [deserialize], with the symbols of 'pawl'."
        : 'Pass its data, and make the instance where it is needed.';
    }
  }
}

/** The finding for a value that cannot cross. `what` reads on with `cannot cross`. */
export function refused(file: string, what: string, value: ValueType, span: ValueType['span']): DiagnosticInput | null {
  const { refusal } = value;
  const at = refusal?.span ?? value.span ?? span;
  if (!refusal || !at) return null;
  return {
    file,
    span: at,
    message: `${what} cannot cross: ${refusalText(value, refusal)}.`,
    remedy: refusalRemedy(refusal),
    related: refusal.related,
  };
}
