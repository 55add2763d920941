import { analyze } from '../compiler/index.ts';
import { behindDeclaration } from '../compiler/behind-declaration.ts';
import type { Fix } from '../diagnostics/types.ts';
import type { ManifestStep, ManifestWorkflow } from '../manifest/index.ts';

/**
 * How something new is given the id of what it takes the place of, so that runs in flight find it: a function by `.stepId`, behind the
 * path that leads to it from where it is declared; a definition by its slug.
 */

export type Listing = ManifestStep | ManifestWorkflow;
type What = 'step' | 'workflow';

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * What to do, as a sentence.
 *
 * @param id - the id that it has now
 * @param oldId - the one that it should have
 */
export function pinRemedy(what: What, id: string, after: Listing, oldId: string): string {
  if (after.style !== 'directive') return `Keep the old id: \`${slugOption(oldId)}\`.`;
  const path = pathOf(id, after);
  const pin = pinOption(what, oldId);
  if (path === null) return `Keep the old id: \`${pin}\` in place of the one that it is given.`;
  if (isAnonymous(path)) return `Name the function, and keep the old id behind it: \`${givenName(what)}${pin}\`.`;
  const target = targetOf(path);
  if (target === null) return `Keep the old id: give it its old name and place back.`;
  return `Keep the old id: \`${target}${pin}\`.`;
}

/** The same where nothing is known to take its place; `before` is what is gone. */
export function pinSomewhere(what: What, before: Listing | undefined, oldId: string): string {
  return before && before.style !== 'directive' ? slugOption(oldId) : pinOption(what, oldId);
}

/**
 * The fix that does it, where what has the new id surely is the old one.
 *
 * @param text - of the module
 * @param start - offset of the function or the definition
 */
export function pinFix(
  what: What,
  id: string,
  after: Listing,
  oldId: string,
  text: string | null,
  start: number,
): Fix | undefined {
  if (text === null) return undefined;
  const title = 'Keep the old id';
  if (after.style !== 'directive') {
    const { facts } = analyze(text, { filename: after.file });
    const span = facts.definitions.find((each) => each.span.start === start && each.slugLiteral)?.slugSpan;
    const quote = span ? text[span.start] : undefined;
    if (!span || (quote !== "'" && quote !== '"') || oldId.includes(quote)) return undefined;
    return { title, edits: [{ start: span.start, end: span.end, text: `${quote}${oldId}${quote}` }] };
  }
  const path = pathOf(id, after);
  if (path === null || path !== after.name) return undefined;
  const at = behindDeclaration(text, after.file, path, start);
  if (at === null) return undefined;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  return { title, edits: [{ start: at, end: at, text: `${newline}${path}${pinOption(what, oldId)};` }] };
}

function slugOption(id: string): string {
  return `slug: '${id}'`;
}

function pinOption(what: What, id: string): string {
  return `.${what === 'step' ? 'stepId' : 'workflowId'} = '${id}'`;
}

/** The part of an id that names the place in the file; null for an id that is pinned already. */
function pathOf(id: string, { file }: Listing): string | null {
  const at = id.indexOf('#');
  return at >= 0 && id.slice(0, at).endsWith(file) ? id.slice(at + 1) : null;
}

/** `export default async () => {…}`, and what a function returns. */
function isAnonymous(path: string): boolean {
  return /(?:^|\/)(?:default|return)$/.test(path);
}

function givenName(what: What): string {
  return what === 'step' ? 'namedStep' : 'namedWorkflow';
}

/** `charge`, `Shipping.send`, `Order.prototype.save`, `tools['look-up'].execute`; null where no expression leads there. */
function targetOf(path: string): string | null {
  const own = path.slice(path.lastIndexOf('/') + 1);
  // What is a member of something local is out of reach of a pin.
  if (own !== path && !IDENTIFIER.test(own)) return null;
  const [root = '', ...members] = own.split(/[.#]/);
  if (!IDENTIFIER.test(root)) return null;
  const separators = own.match(/[.#]/g) ?? [];
  return members.reduce((target, member, index) => {
    const holder = separators[index] === '#' ? `${target}.prototype` : target;
    return IDENTIFIER.test(member) ? `${holder}.${member}` : `${holder}['${member}']`;
  }, root);
}
