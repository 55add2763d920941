import type { ModuleFacts, RequestFact, Unit } from '../compiler/facts.ts';
import { defineRule } from './define-rule.ts';
import { type Reached, referenceOf, stepCode } from './durable.ts';
import { factsOf } from './place-facts.ts';
import type { Program, Reference } from './program.ts';

/**
 * A step may run more than once. Most requests bear that; those that move money do not, so it is them that this rule looks at: by the
 * address, as far as it stands in the code. A key that changes with each attempt is reported wherever it is sent.
 */
export const missingIdempotencyKey = defineRule({
  name: 'missing-idempotency-key',
  by: 'program',
  description: 'A step sends a request that must not be repeated, and no key by which a repetition is known',
  explanation: {
    mistake:
      'A step sends a `POST` or `PATCH` to an address that charges, pays, refunds or orders something, without an idempotency key; or it sends a key that holds the time, chance or the number of the attempt.',
    why: 'A step that fails, or whose process is killed, runs again. The first attempt may have reached the other side all the same. With a key that stays the same, `getStepMetadata().idempotencyKey`, the other side knows the repetition; with one that changes it cannot.',
    allowed:
      '`GET`, `PUT` and `DELETE`; other addresses; a key in the headers or the body; headers that come from elsewhere; steps that are never repeated, `maxRetries = 0`.',
    unseen: 'Requests by clients other than `fetch`, axios, got and ky; addresses that are put together at run time.',
  },
  bad: `async function charge(amount: number) {
  'use step';
  await fetch('https://bank.example/v1/charges', { method: 'POST', body: JSON.stringify({ amount }) });
}

export async function sell(amount: number) {
  'use workflow';
  await charge(amount);
}
`,
  good: `import { getStepMetadata } from 'pawl';

async function charge(amount: number) {
  'use step';
  const { idempotencyKey } = getStepMetadata();
  await fetch('https://bank.example/v1/charges', {
    method: 'POST',
    headers: { 'Idempotency-Key': idempotencyKey },
    body: JSON.stringify({ amount }),
  });
}

export async function sell(amount: number) {
  'use workflow';
  await charge(amount);
}
`,
  check({ program, report }) {
    for (const place of stepCode(program)) {
      const { module } = place;
      for (const request of factsOf(place, module.calls?.requests)) {
        if (request.key === 'present' || !isSent(program, module, request)) continue;
        if (request.key === 'changing') {
          report({
            file: module.file,
            span: request.keySpan ?? request.span,
            message: 'This key is another one at each attempt, so the other side cannot know a repetition by it.',
            remedy: 'Send `getStepMetadata().idempotencyKey`, which stays the same through all attempts of a step.',
          });
        } else if (movesMoney(request.url) && !isNeverRepeated(place)) {
          report({
            file: module.file,
            span: request.span,
            message: `A step may run again after this \`${request.method}\` has arrived, and without an idempotency key the other side does it twice.`,
            remedy:
              "Send the header 'Idempotency-Key' with `getStepMetadata().idempotencyKey`, or set `maxRetries = 0`.",
          });
        }
      }
    }
  },
});

const CLIENTS = /^(?:axios|got|ky|superagent|undici|node-fetch|cross-fetch|ofetch)(?:\/|$)/;

function isSent(program: Program, module: ModuleFacts, { site }: RequestFact): boolean {
  const call = module.calls?.sites[site];
  const reference: Reference = call ? referenceOf(program, module, call) : { kind: 'unknown' };
  if (reference.kind === 'global') return reference.path.join() === 'fetch';
  return reference.kind === 'package' && (CLIENTS.test(reference.specifier) || reference.path.join() === 'fetch');
}

const MONEY =
  /(?:^|[^a-z])(?:charges?|payments?|pay|refunds?|payouts?|transfers?|checkouts?|purchases?|invoices?|orders?|captures?|payment_?intents?|payment-intents?)(?![a-z])/i;
const BANKS =
  /^https:\/\/(?:[a-z-]+\.)*(?:stripe|adyen|paypal|squareup|mollie|razorpay|checkout|braintreegateway)\.com\//i;

function movesMoney(url: string): boolean {
  // The host says who, and the path what.
  const path = url.replace(/^https?:\/\/[^/]*/i, '');
  return BANKS.test(url) || MONEY.test(path.replace(/\?.*$/, ''));
}

function isNeverRepeated({ root }: Reached): boolean {
  const fact = root.module.functions.find(({ unit: index }) => isUnit(root.module, index, root.unit));
  return fact?.options.maxRetries === 0;
}

function isUnit(module: ModuleFacts, index: number, unit: Unit): boolean {
  return module.units[index] === unit;
}
