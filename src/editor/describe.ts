import { CODES, type RuleName } from '../diagnostics/codes.ts';
import { plural } from '../diagnostics/order.ts';
import { exampleFiles, RULES } from '../rules/index.ts';
import type { ModuleFacts, StepOptions } from '../compiler/index.ts';
import type { Subject, Subjects } from './subjects.ts';

/** Gives the address of a line for a link in Markdown; null where the editor has none. */
export type Link = (file: string, line: number) => string | null;

/** As the runtime has it when a step says nothing. */
const DEFAULT_MAX_RETRIES = 3;

/** `PAWL1001` and all the others. */
export const RULE_CODES: readonly string[] = Object.values(CODES).map(({ code }) => code);

/** A list longer than this says how many more there are. */
const SHOWN = 12;

const ABOUT: Record<Subject['kind'], string> = {
  step: 'Runs outside of the sandbox, where I/O is welcome: at least once, until it succeeds or its attempts are used up. Its result is recorded once; a workflow that is replayed gets the recorded result.',
  workflow:
    'Runs in the sandbox and is replayed after a crash, so it must do the same each time. I/O belongs into steps; `sleep` and hooks wait durably.',
  action:
    'A durable step with schemas: its input is parsed before each run, its output before it is handed back. A workflow calls it with `.run()`, an agent as a tool.',
  agent: 'A model with instructions and tools. In a workflow each `.prompt()` is a durable step.',
};

const OPTIONS: Record<string, string> = {
  maxRetries: `How often a failed attempt is made again: a whole number, by default ${DEFAULT_MAX_RETRIES}. Waits grow from one second, at most to five minutes. A \`FatalError\` stops at once.`,
  timeout:
    "How long one attempt may take: milliseconds, or a duration such as `'30s'`. Then its signal aborts, and the attempt has failed. By default there is no limit.",
  heartbeatTimeout:
    "How long an attempt may go without calling `getStepMetadata().heartbeat()`: milliseconds, or a duration such as `'30s'`. Then its signal aborts, and the attempt has failed. By default none is expected.",
  retryAfter:
    "How long to wait before each further attempt: milliseconds, or a duration such as `'30s'`, in place of growing waits. A `RetryableError` may say otherwise.",
  concurrency:
    'How many attempts of this step one worker makes at a time. By default only the limit of the worker counts. An attempt whose signal has aborted counts until its code has ended, but for ten seconds at most.',
  stepId:
    'The id in the manifest and in the event log. Pinned, it stays the same when the function is renamed or moved.',
  workflowId:
    'The id in the manifest and in the event log. Pinned, it stays the same when the function is renamed or moved.',
};

/** What an option of a step means; null for a name that is none. */
export function describeOption(option: string): string | null {
  const text = Object.hasOwn(OPTIONS, option) ? OPTIONS[option] : undefined;
  return text === undefined ? null : `\`${option}\`\n\n${text}`;
}

/** What a subject is, with its id, options, captures, and what it reaches or is reached by. */
export function describeSubject(subject: Subject, subjects: Subjects, link: Link): string {
  const { kind, id, source } = subject;
  const title = `**${kind}** \`${id}\``;
  const { description } = source.style === 'definition' ? source.fact : { description: null };
  const lines = [title, ...(description ? [description] : []), ABOUT[kind]];
  const list = kind === 'workflow' ? workflowList(subject, subjects, link) : stepList(subject, subjects, link);
  return [...lines, list.join('\n')].join('\n\n');
}

/** What a directive at the top of a module does. */
export function describeModuleDirective(module: ModuleFacts, subjects: Subjects, link: Link): string {
  const kind = module.directive?.kind ?? 'step';
  const own = subjects.in(module.file).filter((each) => each.kind === kind);
  const lines = [`**'use ${kind}'** for the whole module: each exported async function is a ${kind}.`, ABOUT[kind]];
  return [...lines, listOf(own, link).join('\n')].filter((part) => part !== '').join('\n\n');
}

/** A rule in short: what it catches, why, and what to write instead. */
export function describeRule(name: RuleName): string {
  const { code, severity } = CODES[name];
  const rule = RULES.find((each) => each.name === name);
  if (!rule) return `**${code}** ${name}`;
  const { mistake, why, allowed } = rule.explanation;
  const good = exampleFiles(rule.good).map(
    ({ file, text }) =>
      `\`\`\`${file?.endsWith('.json') ? 'json' : 'ts'}\n${file ? `// ${file}\n` : ''}${text.trimEnd()}\n\`\`\``,
  );
  return [
    `**${code}** ${name} (${severity}): ${rule.description}`,
    mistake,
    `**Why.** ${why}`,
    `**Allowed.** ${allowed}`,
    '**Instead:**',
    ...good,
  ].join('\n\n');
}

function workflowList(workflow: Subject, subjects: Subjects, link: Link): string[] {
  const steps = subjects.reachedBy(workflow).map(({ step }) => step);
  if (steps.length === 0) return ['It reaches no steps.'];
  return [`It reaches ${plural(steps.length, 'step')}:`, ...listOf(steps, link)];
}

function stepList(step: Subject, subjects: Subjects, link: Link): string[] {
  const { source } = step;
  const lines: string[] = [];
  if (source.style === 'directive') {
    const { options, captures, usesThis } = source.fact;
    lines.push(...optionLines(options, setElsewhere(step)));
    if (captures.length > 0) {
      const names = captures.map(({ name }) => `\`${name}\``).join(', ');
      lines.push(`- captures ${names}: a copy crosses with each call`);
    }
    if (usesThis) lines.push('- `this` crosses with each call');
  } else {
    const tools = source.fact.references.map((path) => `\`${path.join('.')}\``).join(', ');
    if (tools !== '') lines.push(`- ${step.kind === 'agent' ? 'tools' : 'credentials'}: ${tools}`);
  }
  const workflows = subjects.callersOf(step).map(({ workflow }) => workflow);
  if (workflows.length === 0) return [...lines, '- reached from no workflow, as far as can be seen'];
  return [...lines, `- reached from ${plural(workflows.length, 'workflow')}:`, ...listOf(workflows, link, '  ')];
}

function optionLines(options: StepOptions, elsewhere: ReadonlySet<string>): string[] {
  const { maxRetries = DEFAULT_MAX_RETRIES, timeout, heartbeatTimeout, retryAfter, concurrency } = options;
  const computed = (option: string): string => `- \`${option}\`: computed when the module is loaded`;
  const lines: string[] = [];
  if (elsewhere.has('maxRetries') && options.maxRetries === undefined) lines.push(computed('maxRetries'));
  else {
    const origin = options.maxRetries === undefined ? ' (default)' : '';
    const attempts =
      maxRetries === Number.MAX_SAFE_INTEGER ? 'without end' : `${plural(maxRetries + 1, 'attempt')} in all`;
    const shown = maxRetries === Number.MAX_SAFE_INTEGER ? 'Infinity' : String(maxRetries);
    lines.push(`- \`maxRetries\`: ${shown}${origin}, ${attempts}`);
  }
  if (timeout !== undefined) lines.push(`- \`timeout\`: ${duration(timeout)} for each attempt`);
  else lines.push(elsewhere.has('timeout') ? computed('timeout') : '- `timeout`: none (default)');
  if (heartbeatTimeout !== undefined)
    lines.push(`- \`heartbeatTimeout\`: ${duration(heartbeatTimeout)} without a heartbeat at most`);
  else if (elsewhere.has('heartbeatTimeout')) lines.push(computed('heartbeatTimeout'));
  if (retryAfter !== undefined) lines.push(`- \`retryAfter\`: ${duration(retryAfter)} between attempts`);
  else if (elsewhere.has('retryAfter')) lines.push(computed('retryAfter'));
  if (concurrency !== undefined) lines.push(`- \`concurrency\`: ${concurrency} at a time in one worker`);
  else if (elsewhere.has('concurrency')) lines.push(computed('concurrency'));
  return lines;
}

/** Options that the module sets on a step, also those whose value only a run will know. */
function setElsewhere({ module, source }: Subject): Set<string> {
  const path = source.style === 'directive' ? source.fact.path : '';
  const found = new Set<string>();
  for (const { uses } of module.units) {
    for (const use of uses) {
      if (use.access === 'write' && use.path.slice(0, -1).join('.') === path) found.add(use.path.at(-1) as string);
    }
  }
  return found;
}

function duration(value: number | string): string {
  return typeof value === 'number' ? `${value} ms` : value;
}

function listOf(subjects: readonly Subject[], link: Link, indent = ''): string[] {
  const lines = subjects.slice(0, SHOWN).map(({ id, file, nameSpan }) => {
    const address = link(file, nameSpan.line);
    const place = `${file}:${nameSpan.line}`;
    return `${indent}- \`${id}\` (${address ? `[${place}](${address})` : place})`;
  });
  const more = subjects.length - SHOWN;
  return more > 0 ? [...lines, `${indent}- … and ${more} more`] : lines;
}
