/**
 * What host and realm say to each other, as numbers: only primitives cross the border between them.
 *
 * - **command**: what workflow code asks for. The realm numbers its commands (`cid`) in the order in which they are asked for.
 * - **delivery**: what the host tells the workflow code: the outcome of a command, a payload, a cancellation.
 */
export const COMMAND = {
  none: 0,
  /** A step call: `name` is the step's id, `data` its input. */
  step: 1,
  /** A durable wait: `until` is the time at which it ends, ms since the epoch. */
  sleep: 2,
  /** A hook: `name` is its token, `data` its metadata or null. */
  hook: 3,
  /** The hook `cid` takes no more payloads. */
  dispose: 4,
  /** The workflow function returned: `data` is the result. */
  complete: 5,
  /** The workflow function threw: `data` is the error. */
  fail: 6,
  /** The workflow function let the cancellation escape: `data` is the error. */
  cancelled: 7,
  /** The run cannot start on this bundle: `name` says why, one of `REFUSAL`. */
  refuse: 8,
  /** A run of its own: `name` is the workflow's id, `data` its arguments. */
  child: 9,
  /** The hook `cid` does not take the payload that it got: `data` is the error. */
  refusePayload: 10,
} as const;

export type CommandKind = (typeof COMMAND)[keyof typeof COMMAND];

export const DELIVERY = {
  stepResult: 1,
  stepError: 2,
  sleepOver: 3,
  hookPayload: 4,
  hookConflict: 5,
  cancel: 6,
} as const;

export type DeliveryKind = (typeof DELIVERY)[keyof typeof DELIVERY];

export const REFUSAL = {
  /** The bundle registers no workflow of that id. */
  unknownWorkflow: 'unknown-workflow',
  /** The bundle's top level threw: `data` is the error. */
  evaluation: 'evaluation',
  /** As `evaluation`, by changing what the frozen realm keeps: a realm of its own may help. */
  frozen: 'frozen',
} as const;

/** What the realm's URL asks of the host; see `realm/url.ts`. Strings in, one string out. */
export type HostUrl = (operation: string, href: string, value: string) => string;

/** Separates level and text of a console line. */
export const LINE_SEPARATOR = '\u0000';

/** Parts of a URL, in the order in which the host sends them, a line each. */
export const URL_PARTS = [
  'href',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
  'origin',
] as const;
